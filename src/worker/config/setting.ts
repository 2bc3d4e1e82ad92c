/** One setting that a person may give. */
export interface Setting {
  name: string;
  /** Secrets are never shown, logged or put into a problem's text. */
  secret: boolean;
  description: string;
  default?: string;
  /** Set when the name is known from elsewhere and has no effect here; says why. */
  unused?: string;
}
