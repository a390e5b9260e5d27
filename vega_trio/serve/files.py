"""Files of the sandbox: listed, read, fetched raw, deleted. They are the operator's."""

from __future__ import annotations

import base64
from mimetypes import MimeTypes
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote

import attrs
import trio
from quart import Request, Response
from quart.wrappers.response import ResponseBody

from vega_trio._core.wire import rfc3339
from vega_trio.app.files import File, Files
from vega_trio.serve.desk import Desk, Route, flag_of, json_answer, operators_only
from vega_trio.serve.models.common import Status
from vega_trio.serve.models.files import FileContent, FileEntry
from vega_trio.serve.paging import paged
from vega_trio.serve.problems import bad_value

CHUNK = 64 * 1024
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
HARMLESS = PICTURES | {"text/plain", "text/csv", "application/json", "application/pdf"}
"""What a browser may know a raw file for; all else, as pages and pictures with scripts, is bytes to it."""


async def every(desk: Desk, request: Request) -> Response:
    """What is in a directory of the sandbox, by default its root; of a file, the file alone."""
    operators_only(request, "see the files")
    items = await desk.app.files.list(request.args.get("path") or ".")
    page, headers = paged(request, [_entry(each) for each in items], lambda entry: entry.path)
    return json_answer(desk, page, headers=headers)


async def read(desk: Desk, request: Request) -> Response:
    """The beginning of a file: text as it is, anything else in base64."""
    operators_only(request, "see the files")
    preview = await desk.app.files.read(_path(request))
    binary = preview.text is None
    shown = FileContent(
        **attrs.asdict(_entry(preview.item), filter=lambda field, _: field.name != "is_dir"),
        encoding="base64" if binary else "utf-8",
        content=base64.b64encode(preview.data).decode() if preview.text is None else preview.text,
        truncated=preview.truncated,
    )
    return json_answer(desk, shown)


async def delete(desk: Desk, request: Request) -> Response:
    """Deletes a file, or a directory: an empty one, or with `recursive=true` all that is in it."""
    operators_only(request, "delete files")
    await desk.app.files.delete(_path(request), recursive=flag_of(request, "recursive"))
    return json_answer(desk, Status(status="deleted"))


async def raw(desk: Desk, request: Request, path: str) -> Response:
    """A file as it is, to be saved."""
    operators_only(request, "see the files")
    item = await desk.app.files.file(path)
    kind = _kind(item) or ""
    headers = {
        "content-length": str(item.size),
        "cross-origin-resource-policy": "same-origin",
        "content-disposition": f"attachment; filename*=UTF-8''{quote(_name(item), safe='')}",
        "content-type": kind if kind in HARMLESS else "application/octet-stream",
    }
    answer = Response(RawBody(desk.app.files, path, item.size), 200, headers)
    answer.timeout = None  # as long as it takes; a client that does not read is cut by the kernel
    return answer


@attrs.define(eq=False)
class RawBody(ResponseBody):
    """A file's bytes, as many as were announced. One that has become shorter meanwhile ends the connection."""

    _files: Files
    _path: str
    _left: int
    _file: BinaryIO | None = attrs.field(default=None, init=False)

    async def __aenter__(self) -> Self:
        self._file = await self._files.open(self._path)
        return self

    async def __aexit__(self, kind: type, error: BaseException, trace: TracebackType) -> None:
        if self._file is not None:
            self._file.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        assert self._file is not None
        data = await trio.to_thread.run_sync(self._file.read, min(CHUNK, self._left)) if self._left else b""
        if not data:
            raise StopAsyncIteration
        self._left -= len(data)
        return data


def _path(request: Request) -> str:
    path = request.args.get("path")
    if not path:
        raise bad_value("path", "'path' is missing", "add ?path=, as GET /api/files shows it")
    return path


def _entry(item: File) -> FileEntry:
    return FileEntry(
        name=_name(item),
        path=_shown(item.path),
        is_dir=item.is_directory,
        size=item.size,
        mod_time=rfc3339(item.modified_at),
        content_type=None if item.is_directory else _kind(item),
    )


def _name(item: File) -> str:
    return _shown(item.path).rpartition("/")[2]


def _shown(path: str) -> str:
    """A name need not be Unicode; what cannot be shown is shown as a question mark."""
    return path.encode("utf-8", "replace").decode()


def _kind(item: File) -> str | None:
    return MimeTypes().guess_type(_name(item))[0]  # the tables of Python alone: the system's differ


ROUTES = (
    Route("GET", "/api/files", every, answer=list[FileEntry], query=("path", "limit", "cursor")),
    Route("DELETE", "/api/files", delete, answer=Status, query=("path", "recursive")),
    Route("GET", "/api/files/read", read, answer=FileContent, query=("path",)),
    Route("GET", "/workspace/<path:path>", raw),
)
