import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconDownload, IconFile, IconFolder, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useSearchParams } from "wouter";

import { calls, perform } from "../api/calls";
import { fileQuery, filesQuery } from "../api/lists";
import type { FileContent, FileEntry } from "../api/types";
import { AsCommand } from "../ui/AsCommand";
import { Code } from "../ui/Code";
import { Dialog, DialogFoot } from "../ui/Dialog";
import { bytes, fullTime } from "../ui/format";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import { Card, Nothing } from "../ui/Section";
import classes from "./FilesPage.module.css";
import { parents, rawAddress } from "./paths";

/** The sandbox, in which the agents' file tools work. */
export default function FilesPage() {
  const [search, setSearch] = useSearchParams();
  const folder = search.get("path") ?? ".";
  const files = useQuery(filesQuery(folder));
  const [open, setOpen] = useState<FileEntry | null>(null);
  const [doomed, setDoomed] = useState<FileEntry | null>(null);
  return (
    <Page title="Files">
      <nav className={classes.crumbs} aria-label="Folder">
        {parents(folder).map(({ name, path }) => (
          <Link key={path} href={`/files?${new URLSearchParams({ path }).toString()}`}>
            {name}
          </Link>
        ))}
      </nav>
      <Remote query={files}>
        {(all) =>
          all.length === 0 ? (
            <Nothing>There is nothing here. Files that agents write appear when you come back.</Nothing>
          ) : (
            <Card>
              <ul className={classes.files}>
                {all.map((file) => (
                  <Item
                    key={file.path}
                    file={file}
                    onOpen={() => (file.is_dir ? setSearch({ path: file.path }) : setOpen(file))}
                    onDelete={() => setDoomed(file)}
                  />
                ))}
              </ul>
            </Card>
          )
        }
      </Remote>
      {open ? <Preview file={open} onClose={() => setOpen(null)} /> : null}
      {doomed ? <Delete file={doomed} onClose={() => setDoomed(null)} /> : null}
    </Page>
  );
}

function Item({ file, onOpen, onDelete }: { file: FileEntry; onOpen: () => void; onDelete: () => void }) {
  const Icon = file.is_dir ? IconFolder : IconFile;
  return (
    <li>
      <button type="button" className={classes.name} onClick={onOpen}>
        <Icon size={17} stroke={1.7} aria-hidden="true" />
        {file.name}
      </button>
      <span className={classes.fact}>{file.is_dir ? "" : bytes(file.size)}</span>
      <time className={classes.fact} dateTime={file.mod_time}>
        {fullTime(file.mod_time)}
      </time>
      <Button size="compact-sm" variant="default" aria-label={`Delete ${file.name}`} onClick={onDelete}>
        <IconTrash size={15} aria-hidden="true" />
      </Button>
    </li>
  );
}

function Preview({ file, onClose }: { file: FileEntry; onClose: () => void }) {
  const content = useQuery(fileQuery(file.path));
  return (
    <Dialog title={file.name} onClose={onClose}>
      <Remote query={content}>{(known) => <Content file={known} />}</Remote>
      <DialogFoot>
        <Button
          component="a"
          href={rawAddress(file.path)}
          download={file.name}
          variant="default"
          leftSection={<IconDownload size={15} />}
        >
          Download
        </Button>
      </DialogFoot>
    </Dialog>
  );
}

const SHOWN_IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** A text, an image, or that it is neither. */
function Content({ file }: { file: FileContent }) {
  const kind = file.content_type ?? "";
  if (file.encoding === "utf-8") {
    return (
      <>
        <Code label="Content" value={file.content} />
        {file.truncated ? (
          <p className={classes.fact}>This is its beginning; download it for the rest.</p>
        ) : null}
      </>
    );
  }
  if (SHOWN_IMAGES.includes(kind) && !file.truncated) {
    return <img className={classes.image} src={`data:${kind};base64,${file.content}`} alt={file.name} />;
  }
  return <p className={classes.fact}>{bytes(file.size)} that are no text.</p>;
}

function Delete({ file, onClose }: { file: FileEntry; onClose: () => void }) {
  const queries = useQueryClient();
  const call = calls.deleteFile(file.path, file.is_dir);
  const remove = useMutation({
    mutationFn: () => perform(call),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["files"] });
      onClose();
    },
  });
  return (
    <Dialog title={`Delete ${file.name}?`} onClose={onClose}>
      <p>{file.is_dir ? "It is deleted for good, with all that is in it." : "It is deleted for good."}</p>
      <AsCommand calls={[call]} />
      {remove.error ? <Problem message={remove.error.message} /> : null}
      <DialogFoot>
        <Button variant="default" onClick={onClose}>
          Keep it
        </Button>
        <Button color="red.9" loading={remove.isPending} onClick={() => remove.mutate()}>
          Delete
        </Button>
      </DialogFoot>
    </Dialog>
  );
}
