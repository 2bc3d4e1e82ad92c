import { Button } from "@cloudflare/kumo/components/button";
import { UploadSimpleIcon } from "@phosphor-icons/react/dist/csr/UploadSimple";
import { useId, useState } from "react";
import type { AdminStatus } from "../../../protocol/admin.ts";
import type { ImportView } from "../../../protocol/import.ts";
import { Card } from "../../parts/card.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { useWords } from "../../text/text.tsx";
import { Archive } from "./archive.tsx";
import type { Job } from "./progress.tsx";
import { useImports } from "./queries.ts";
import { Sending } from "./sending.tsx";
import { isSame, isTooLarge, useUpload, type Upload } from "./use-upload.ts";
import { WORDS } from "./words.ts";

interface ImportsProps {
  status: AdminStatus;
  follow(job: Job | undefined): void;
}

export function Imports({ status, follow }: ImportsProps) {
  const { imports: words } = useWords(WORDS);
  const imports = useImports(status.kept);
  const upload = useUpload();
  const found = imports.data?.imports ?? [];
  const { view } = upload;
  const paused =
    view !== undefined && found.some(({ id }) => id === view.id && view.missing.length > 0);
  const there = found.find(({ state }) => state === "uploading");
  return (
    <Card title={words.title}>
      <p className="text-kumo-subtle">{words.about}</p>
      {imports.error === null ? null : (
        <Trouble error={imports.error} retry={() => void imports.refetch()} />
      )}
      {view !== undefined && (upload.sending || paused) ? (
        <Sending view={view} upload={upload} />
      ) : (
        <Choose there={there} some={found.length > 0} upload={upload} />
      )}
      {upload.error === undefined ? null : (
        <div className="mt-4">
          <Trouble error={upload.error} />
        </div>
      )}
      {upload.sending ? null : (
        <ul className="flex flex-col">
          {found.map((archive) => (
            <Archive key={archive.id} archive={archive} status={status} follow={follow} />
          ))}
        </ul>
      )}
    </Card>
  );
}

interface ChooseProps {
  /** An upload that was broken off. */
  there: ImportView | undefined;
  /** Whether any archive is here. */
  some: boolean;
  upload: Upload;
}

function Choose({ there, some, upload }: ChooseProps) {
  const { imports: words } = useWords(WORDS);
  const [file, setFile] = useState<File>();
  const id = useId();
  const again = file !== undefined && there !== undefined && isSame(file, there);
  const large = file !== undefined && isTooLarge(file);
  const help =
    there === undefined
      ? some
        ? words.other
        : undefined
      : words.same(there.name, String(there.parts - there.missing.length), String(there.parts));
  return (
    <form
      className="mt-4 flex flex-wrap items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (file !== undefined) upload.start(file, there);
      }}
    >
      <div className="flex min-w-0 flex-col gap-1">
        <label htmlFor={id} className="text-base font-medium">
          {words.choose}
        </label>
        <input
          id={id}
          type="file"
          accept=".gz,.tgz,.tar,application/gzip,application/x-tar"
          aria-describedby={help === undefined ? undefined : `${id}-help`}
          className="border-kumo-line bg-kumo-control focus-visible:outline-kumo-brand file:text-kumo-default file:bg-kumo-tint w-full max-w-full rounded-lg border p-1.5 text-sm file:mr-3 file:rounded-md file:border-0 file:px-3 file:py-1.5 focus-visible:outline-2"
          onChange={(event) => setFile(event.target.files?.[0])}
        />
        {help === undefined ? null : (
          <p id={`${id}-help`} className="text-kumo-subtle text-sm wrap-anywhere">
            {help}
          </p>
        )}
        {large ? (
          <p role="alert" className="text-kumo-danger text-sm">
            {words.tooLarge}
          </p>
        ) : null}
      </div>
      <Button
        type="submit"
        icon={UploadSimpleIcon}
        loading={upload.sending}
        disabled={file === undefined || large}
      >
        {again ? words.again : words.start}
      </Button>
    </form>
  );
}
