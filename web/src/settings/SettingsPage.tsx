import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";

import { calls, perform } from "../api/calls";
import { settingsQuery } from "../api/lists";
import type { Setting } from "../api/types";
import { AsCommand } from "../ui/AsCommand";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import { Card, Nothing, Section } from "../ui/Section";
import classes from "./SettingsPage.module.css";

/** The values that tools read; what is secret is never shown again. */
export default function SettingsPage() {
  const settings = useQuery(settingsQuery);
  return (
    <Page title="Settings">
      <p className={classes.about}>
        Values for tools of the document: a name in a tool&apos;s definition that is none of its parameters is
        looked up here at each call. One that is named like a secret, as API_KEY, is never shown again.
      </p>
      <NewSetting />
      <Section title="Values">
        <Remote query={settings}>
          {(all) =>
            all.length === 0 ? (
              <Nothing>No value is set. A tool that asks for one says which.</Nothing>
            ) : (
              <Card>
                <ul className={classes.list}>
                  {all.map((setting) => (
                    <Item key={setting.key} setting={setting} />
                  ))}
                </ul>
              </Card>
            )
          }
        </Remote>
      </Section>
    </Page>
  );
}

function NewSetting() {
  const queries = useQueryClient();
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const put = useMutation({
    mutationFn: () => perform(calls.putSetting(key.trim(), value)),
    onSuccess: () => {
      setKey("");
      setValue("");
      void queries.invalidateQueries({ queryKey: ["settings"] });
    },
  });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    put.mutate();
  };
  return (
    <Card padded>
      <form className={classes.form} onSubmit={submit} aria-label="Set a value">
        <TextInput
          label="Name"
          required
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
        />
        <TextInput
          label="Value"
          type="password"
          required
          autoComplete="off"
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <Button type="submit" loading={put.isPending}>
          Set
        </Button>
      </form>
      <AsCommand
        calls={[
          calls.putSetting(key.trim() || "NAME", "(the value)"),
          calls.removeSetting(key.trim() || "NAME"),
        ]}
      />
      {put.error ? <Problem message={put.error.message} /> : null}
    </Card>
  );
}

function Item({ setting }: { setting: Setting }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => perform(calls.removeSetting(setting.key)),
    onSettled: () => queries.invalidateQueries({ queryKey: ["settings"] }),
  });
  return (
    <li>
      <code className={classes.key}>{setting.key}</code>
      <span className={classes.value}>{setting.sensitive ? "••••••  kept secret" : setting.value}</span>
      <Button
        size="compact-sm"
        variant="default"
        aria-label={`Remove ${setting.key}`}
        loading={remove.isPending}
        onClick={() => remove.mutate()}
      >
        Remove
      </Button>
      {remove.error ? <Problem message={remove.error.message} /> : null}
    </li>
  );
}
