import { OptionError } from "../../errors/option-error.js";
/**
 * A validator that implements Standard Schema, version 1, such as a schema of zod, valibot or arktype.
 */
export interface ConfigSchema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
  };
}

/** A valid value, or the issues of an invalid one. */
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One problem of a value, and its position in the value. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** @throws TypeError when `schema` is not a Standard Schema */
export function checkSchema(schema: ConfigSchema<unknown>): void {
  if (typeof schema?.["~standard"]?.validate === "function") return;
  throw new OptionError(
    "schema",
    'must be a Standard Schema, an object with a "~standard" property',
  );
}
