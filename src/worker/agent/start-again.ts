/**
 * Whether the stop under way is the first half of something that starts the agent again: kept outside
 * memory, because the Durable Object may end meanwhile.
 */
const SETTING = "start-again";

interface Notebook {
  setting(name: string): string | undefined;
  setSetting(name: string, value: string | undefined): void;
}

export class StartAgain {
  readonly #notebook: Notebook;

  constructor(notebook: Notebook) {
    this.#notebook = notebook;
  }

  get wanted(): boolean {
    return this.#notebook.setting(SETTING) === "yes";
  }

  note(wanted: boolean): void {
    if (wanted !== this.wanted) this.#notebook.setSetting(SETTING, wanted ? "yes" : undefined);
  }
}
