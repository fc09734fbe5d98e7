/** The environment without variables of etcdnet and etcdctl, which would change what commands do. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env);
  return Object.fromEntries(inherited.filter(([name]) => !/^ETCD(?:NET|CTL)_/.test(name)));
}
