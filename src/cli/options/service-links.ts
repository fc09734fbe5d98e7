const HOST_SUFFIX = "_SERVICE_HOST";
const LINK = /^(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_|$)/;

/**
 * Whether Kubernetes has set a variable: with service links, a service `etcdnet` sets `ETCDNET_PORT` to
 * `tcp://10.0.0.1:2379`, `ETCDNET_SERVICE_HOST` and others in every container of its namespace.
 */
export function isServiceLink(variable: string, env: NodeJS.ProcessEnv): boolean {
  return Object.keys(env).some((name) => {
    if (!name.endsWith(HOST_SUFFIX)) return false;
    const service = `${name.slice(0, -HOST_SUFFIX.length)}_`;
    const rest = variable.startsWith(service) ? variable.slice(service.length) : "";
    if (rest === "PORT") return /^[a-z]+:\/\//.test(env[variable] ?? "");
    return LINK.test(rest);
  });
}
