const en = {
  title: "Apps and phones",
  about:
    "An app or a phone gets in without the gateway token by a pairing code. It counts once, for ten minutes.",
  make: "Let in an app or phone",
  code: "Pairing code",
  scan: "Scan the picture with the phone's camera, or type the code into the app.",
  noLink:
    "Enter the code in the app. For a picture to scan, open the agent once or set WORKER_URL.",
  picture: "Pairing code as a QR picture",
  left: (time: string) => `Counts for ${time} more.`,
  over: "This code is over.",
  drop: "Drop the code",
  dropped: "The code counts no longer.",
  unused: (count: number) =>
    count === 1 ? "One code was not used yet." : `${count} codes were not used yet.`,
  none: "No app has been let in.",
  unnamed: "Unnamed app",
  letIn: "Let in",
  by: (when: string, who: string) => `${when} by ${who}`,
  from: "From",
  seen: "Last seen",
  never: "never",
  remove: "Remove",
  of: (action: string, name: string) => `${action}: ${name}`,
  removeTitle: "Remove the app?",
  removeText: (name: string) =>
    `${name} loses its access at once and needs a new pairing code. Open connections of others are interrupted for a moment.`,
  removed: "The app is removed.",
};

const zh: typeof en = {
  title: "应用与手机",
  about: "应用或手机可凭配对码进入，无需网关令牌。配对码只能使用一次，十分钟内有效。",
  make: "允许应用或手机进入",
  code: "配对码",
  scan: "用手机相机扫描图片，或在应用中输入配对码。",
  noLink: "请在应用中输入配对码。若要扫描图片，请先打开一次助手，或设置 WORKER_URL。",
  picture: "配对码的二维码图片",
  left: (time) => `还有 ${time} 有效。`,
  over: "此配对码已失效。",
  drop: "作废配对码",
  dropped: "配对码已作废。",
  unused: (count) => `有 ${count} 个配对码尚未使用。`,
  none: "尚未允许任何应用。",
  unnamed: "未命名应用",
  letIn: "允许时间",
  by: (when, who) => `${when}，由 ${who}`,
  from: "来源地址",
  seen: "最近使用",
  never: "从未",
  remove: "移除",
  of: (action, name) => `${action}：${name}`,
  removeTitle: "移除此应用？",
  removeText: (name) =>
    `${name} 会立即失去访问权限，之后需要新的配对码。其他已打开的连接会短暂中断。`,
  removed: "应用已移除。",
};

export const APP_WORDS = { en, zh };
