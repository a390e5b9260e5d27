import { IconFile } from "@tabler/icons-react";

import { bytes } from "../ui/format";
import classes from "./FileList.module.css";
import { isImage, type ShownFile, useAddress } from "./files";

/** Images to see and files to save. */
export function FileList({ label, files }: { label: string; files: readonly ShownFile[] }) {
  if (files.length === 0) return null;
  return (
    <ul className={classes.files} aria-label={label}>
      {files.map((file, index) => (
        <li key={index}>
          <Shown file={file} />
        </li>
      ))}
    </ul>
  );
}

function Shown({ file }: { file: ShownFile }) {
  const address = useAddress(file);
  if (isImage(file) && address !== undefined) {
    const picture = <img src={address} alt={file.name || "Image"} />;
    return file.id === null ? (
      picture
    ) : (
      <a href={address} target="_blank" rel="noopener">
        {picture}
      </a>
    );
  }
  const text = (
    <>
      <IconFile size={15} aria-hidden="true" />
      {file.name || file.mediaType}
      {file.size > 0 ? <span>{bytes(file.size)}</span> : null}
    </>
  );
  return file.id === null || address === undefined ? (
    <span className={classes.file}>{text}</span>
  ) : (
    <a className={classes.file} href={address} download={file.name}>
      {text}
    </a>
  );
}
