/**
 * What every validator has that speaks Standard Schema, version 1: schemas of zod, valibot, arktype
 * and others are such objects.
 */
export interface ConfigSchema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
  };
}

/** A valid value, or what is wrong. */
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong, and where. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** @throws TypeError for what is no schema */
export function checkSchema(schema: ConfigSchema<unknown>): void {
  if (typeof schema?.["~standard"]?.validate === "function") return;
  throw new TypeError('schema: must be a Standard Schema, an object with a "~standard" property');
}
