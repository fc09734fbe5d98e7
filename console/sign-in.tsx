import { useState } from "preact/hooks";
import type { AppState } from "./app-state.js";
import { useEmitter } from "./emitter.js";

/** Asks for a user of etcd's auth, or for the access key of the console. */
export function SignIn({ state }: { readonly state: AppState }) {
  const { session } = state;
  useEmitter(session);
  const [username, setUsername] = useState("");
  const [secret, setSecret] = useState("");
  const [accessKey, setAccessKey] = useState("");
  const asksUser = session.asks === "user";

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (asksUser) await session.signIn({ username, password: secret, accessKey });
    else await session.begin(accessKey.trim());
    setSecret("");
    if (session.info !== undefined && session.failure === "") await state.reconnect();
  }

  return (
    <form class="sign-in" onSubmit={(event) => void submit(event)}>
      <h2>{asksUser ? "Sign in" : "Access key"}</h2>
      {!asksUser && (
        <p>
          This console has credentials of the cluster. Open the address that it printed when it
          started, or enter the part after <code>#access=</code>.
        </p>
      )}
      {asksUser && (
        <>
          <label>
            User
            <input
              value={username}
              autocomplete="username"
              required
              onInput={({ currentTarget }) => setUsername(currentTarget.value)}
            />
          </label>
          <label>
            Password
            <input
              type="password"
              value={secret}
              autocomplete="current-password"
              onInput={({ currentTarget }) => setSecret(currentTarget.value)}
            />
          </label>
          <p class="quiet">
            A user of etcd’s auth. The password is kept in the memory of the console until you sign
            out.
          </p>
        </>
      )}
      {!asksUser && (
        <label>
          Access key
          <input
            type="password"
            value={accessKey}
            autocomplete="off"
            required
            onInput={({ currentTarget }) => setAccessKey(currentTarget.value)}
          />
        </label>
      )}
      {session.failure !== "" && (
        <p class="notice bad" role="alert">
          {session.failure}
        </p>
      )}
      <div class="buttons">
        <button type="submit" class="primary">
          {asksUser ? "Sign in" : "Open"}
        </button>
        {asksUser && (
          <button type="button" onClick={() => session.askUser(false)}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
