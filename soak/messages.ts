/** Messages on Telegram to the real agent while everything around them is killed. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  saidToAgent,
  startTelegramSystem,
  type TelegramSystem,
} from "../test/support/telegram-system.ts";
import type { Soak, SoakTools } from "./soak.ts";

type Victim = "gateway" | "workerd" | "telegram" | "sandbox";

interface Part {
  name: string;
  /** Of all messages. */
  share: number;
  victims: readonly Victim[];
}

/** The first must double nothing; the second has the one window that is allowed to. */
const PARTS: readonly Part[] = [
  { name: "gateway, workerd, Telegram", share: 0.6, victims: ["gateway", "workerd", "telegram"] },
  {
    name: "the same and the sandbox",
    share: 0.4,
    victims: ["sandbox", "gateway", "workerd", "sandbox"],
  },
];

const PEOPLE = 12;
/** Questions that may be open at once; an old one holds nothing up. */
const OPEN = 12;
const OLD_MS = 90_000;
/** Messages between two kills: this many and up to as many more. */
const BETWEEN = 25;
const SETTLED_MS = 600_000;

interface Sent {
  text: string;
  part: Part;
  at: number;
}

interface Result {
  part: Part;
  sent: number;
  kills: Record<Victim, number>;
}

export const messages: Soak = {
  name: "messages",
  about: "messages on Telegram while gateway, workerd, Telegram and the sandbox are killed",
  times: 1_000,
  async run(tools) {
    const running = await startTelegramSystem({ TELEGRAM_DM_POLICY: "open" });
    try {
      await running.system.reach("ready");
      const sent: Sent[] = [];
      const results: Result[] = [];
      for (const part of PARTS) results.push(await runPart(running, part, sent, tools));
      await settled(running, sent, tools);
      return report(sent, results, await found(running, sent));
    } finally {
      await running.close();
    }
  },
};

async function runPart(
  running: TelegramSystem,
  part: Part,
  sent: Sent[],
  { times, random, tell }: SoakTools,
): Promise<Result> {
  const { telegram } = running;
  const kills: Record<Victim, number> = { gateway: 0, workerd: 0, telegram: 0, sandbox: 0 };
  const count = Math.round(times * part.share);
  let nextKill = Math.ceil(BETWEEN * random());
  for (let n = 0; n < count; n += 1) {
    while (openOnes(telegram, sent) >= OPEN) await sleep(100);
    const text = `message ${String(sent.length + 1).padStart(5, "0")}`;
    const id = 1_001 + (sent.length % PEOPLE);
    sent.push({ text, part, at: Date.now() });
    telegram.write({ id, first_name: `Person ${id}` }, text);
    await sleep(random() * 150);
    if (n < nextKill) continue;
    nextKill = n + BETWEEN + Math.ceil(BETWEEN * random());
    const victim = part.victims[Math.floor(random() * part.victims.length)] ?? "gateway";
    if (victim === "telegram") await telegram.fail(500 + random() * 2_000);
    else if (running.kill(victim) === 0) continue;
    kills[victim] += 1;
    tell(`${sent.length}/${times}: killed ${victim}, ${openOnes(telegram, sent)} open`);
  }
  return { part, sent: count, kills };
}

function openOnes(telegram: TelegramSystem["telegram"], sent: readonly Sent[]): number {
  const young = sent.filter(({ at }) => Date.now() - at < OLD_MS);
  const answered = allTexts(telegram);
  return young.filter(({ text }) => !answered.some((one) => one.includes(text))).length;
}

function allTexts(telegram: TelegramSystem["telegram"]): string[] {
  return Array.from({ length: PEOPLE }, (_, n) => telegram.texts(1_001 + n)).flat();
}

/** Nothing is on its way any more: each message is kept with the agent, or a dead letter. */
async function settled(
  running: TelegramSystem,
  sent: readonly Sent[],
  { tell }: SoakTools,
): Promise<void> {
  const end = Date.now() + SETTLED_MS;
  let quietSince = 0;
  let before = "";
  for (;;) {
    const view = await running.channels().catch(() => undefined);
    const onTheWay = view?.letters.filter(({ state }) => state !== "dead").length;
    const answers = allTexts(running.telegram).length;
    const now = `${onTheWay} on the way, ${answers} answers`;
    if (now !== before) {
      tell(now);
      quietSince = Date.now();
      before = now;
    }
    const done = onTheWay === 0 && running.telegram.waiting === 0;
    if (done && Date.now() - quietSince > 20_000) return;
    if (Date.now() > end) throw new Error(`not settled: ${now} of ${sent.length}`);
    await sleep(1_000);
  }
}

interface Found {
  message: Sent;
  inHistory: number;
  answers: number;
  dead: boolean;
}

async function found(running: TelegramSystem, sent: readonly Sent[]): Promise<Found[]> {
  const { letters } = await running.channels();
  const client = await running.webChat();
  const said = await saidToAgent(client);
  client.close();
  const answers = allTexts(running.telegram);
  const times = (texts: readonly string[], text: string) =>
    texts.filter((one) => one.includes(text)).length;
  return sent.map((message) => ({
    message,
    inHistory: times(said, message.text),
    answers: times(answers, message.text),
    dead: letters.some(({ state, preview }) => state === "dead" && preview === message.text),
  }));
}

function report(sent: readonly Sent[], results: readonly Result[], all: readonly Found[]) {
  const rows = results.map(({ part, sent: count, kills }) => {
    const own = all.filter(({ message }) => message.part === part);
    const total = (fits: (one: Found) => boolean) => String(own.filter(fits).length);
    return [
      part.name,
      String(count),
      Object.entries(kills)
        .filter(([, often]) => often > 0)
        .map(([victim, often]) => `${often} × ${victim}`)
        .join(", "),
      total((one) => one.inHistory > 0),
      total((one) => one.dead),
      total(isLost),
      total(isDoubled),
    ];
  });
  const lost = all.filter(isLost);
  const doubled = all.filter((one) => one.message.part === PARTS[0] && isDoubled(one));
  return {
    how:
      `${sent.length} messages of ${PEOPLE} people through the long poll to the real agent with the ` +
      "demo model. A message is doubled when the agent's history has it twice or it was answered twice.",
    table: {
      head: [
        "killed at random",
        "messages",
        "kills",
        "in the history",
        "dead letters",
        "lost",
        "doubled",
      ],
      rows,
    },
    goals: [
      {
        what: "lost",
        measured: listed(lost),
        goal: "none",
        met: lost.length === 0,
      },
      {
        what: "doubled while no sandbox was killed",
        measured: listed(doubled),
        goal: "none",
        met: doubled.length === 0,
      },
    ],
  };
}

function isLost({ inHistory, dead }: Found): boolean {
  return inHistory === 0 && !dead;
}

function isDoubled({ inHistory, answers }: Found): boolean {
  return inHistory > 1 || answers > 1;
}

function listed(all: readonly Found[]): string {
  if (all.length === 0) return "none";
  const some = all
    .slice(0, 10)
    .map(
      ({ message, inHistory, answers }) =>
        `${message.text} (${inHistory} in the history, ${answers} answers)`,
    );
  return `${all.length}: ${some.join(", ")}`;
}
