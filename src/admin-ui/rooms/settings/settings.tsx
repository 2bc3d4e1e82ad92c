import { Badge } from "@cloudflare/kumo/components/badge";
import { Banner } from "@cloudflare/kumo/components/banner";
import { Loader } from "@cloudflare/kumo/components/loader";
import type { AdminSetting } from "../../../protocol/admin-settings.ts";
import { CHINESE_SETTINGS } from "../../../protocol/settings-chinese.ts";
import { useSettings } from "../../live/queries.ts";
import { Card } from "../../parts/card.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { useSpoken, useText } from "../../text/text.tsx";
import { ModelCard } from "./model.tsx";
import { SleepCard } from "./sleep.tsx";

export function SettingsRoom() {
  const text = useText();
  const settings = useSettings();
  const { settings: words } = text;
  if (settings.data === undefined) {
    return settings.error === null ? (
      <Loader aria-label={text.loading} />
    ) : (
      <Trouble error={settings.error} retry={() => void settings.refetch()} />
    );
  }
  const { data } = settings;
  const used = data.settings.filter(({ unused }) => unused === undefined);
  const present = used.filter(({ set }) => set);
  const absent = used.filter(({ set }) => !set);
  const elsewhere = data.settings.filter(({ unused }) => unused !== undefined);
  return (
    <>
      <p className="text-kumo-subtle">{words.about}</p>
      {data.notes.length === 0 ? null : (
        <Banner
          variant="secondary"
          title={words.notes}
          description={
            <ul className="list-disc pl-5">
              {data.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          }
        />
      )}
      <ModelCard />
      <SleepCard configured={data.sleepAfter} />
      <SettingList title={words.setTitle} settings={present} />
      <SettingList title={words.unsetTitle} settings={absent} folded />
      <SettingList title={words.unusedTitle} settings={elsewhere} folded />
    </>
  );
}

interface ListProps {
  title: string;
  settings: AdminSetting[];
  /** Opened by who looks for one of them. */
  folded?: boolean;
}

function SettingList({ title, settings, folded = false }: ListProps) {
  const { settings: words } = useText();
  if (settings.length === 0) return null;
  const list = <Settings settings={settings} />;
  return (
    <Card title={title} aside={<span className="text-kumo-subtle text-sm">{settings.length}</span>}>
      {folded ? (
        <details>
          <summary className="text-kumo-subtle focus-visible:outline-kumo-brand w-fit cursor-pointer focus-visible:outline-2">
            {words.show}
          </summary>
          <div className="mt-3">{list}</div>
        </details>
      ) : (
        list
      )}
    </Card>
  );
}

function Settings({ settings }: { settings: AdminSetting[] }) {
  return (
    <ul className="flex flex-col gap-3">
      {settings.map((setting) => (
        <li
          key={setting.name}
          className="border-kumo-line border-t pt-3 first:border-t-0 first:pt-0"
        >
          <div className="flex flex-wrap items-center justify-between gap-2">
            <code className="min-w-0 wrap-anywhere">{setting.name}</code>
            <State setting={setting} />
          </div>
          {setting.value === undefined ? null : (
            <p className="font-mono text-sm wrap-anywhere">{setting.value}</p>
          )}
          <p className="text-kumo-subtle text-sm">
            <Purpose setting={setting} />
          </p>
        </li>
      ))}
    </ul>
  );
}

/** The Worker describes a setting in English; the Chinese text says the same in one sentence. */
function Purpose({ setting }: { setting: AdminSetting }) {
  const { text, language } = useSpoken();
  const chinese = CHINESE_SETTINGS[setting.name];
  if (language === "zh" && chinese !== undefined) return chinese;
  return [
    setting.description,
    ...(setting.set || setting.default === undefined
      ? []
      : [text.settings.default(setting.default)]),
    ...(setting.unused === undefined ? [] : [`(${setting.unused})`]),
  ].join(" ");
}

function State({ setting }: { setting: AdminSetting }) {
  const { settings: words } = useText();
  if (!setting.set) return <Badge variant="outline">{words.unset}</Badge>;
  if (setting.unused !== undefined) return <Badge variant="warning">{words.unused}</Badge>;
  return <Badge variant="success">{setting.secret ? words.secretSet : words.set}</Badge>;
}
