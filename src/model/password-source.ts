/** A password, or a function that returns the current one and rejects with an `OptionError` if there is none. */
export type PasswordSource = string | (() => Promise<string>);
