import { type Clock, deadline } from "../../time/clock.js";
import { linkSignals } from "../../time/follow.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";

/** An attempt that can be called off. */
type Attempt<T> = (signal: AbortSignal) => Promise<T>;

interface HedgeOptions {
  /** Milliseconds. */
  readonly delay: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes a first attempt and, if it has not answered after the delay, a second one beside it. The
 * first answer wins, a refusal by etcd included, and the other attempt is called off.
 *
 * @throws AttemptFailure when every attempt that was started has failed
 */
export function hedge<T>(
  first: Attempt<T>,
  second: Attempt<T>,
  { delay, clock, signal }: HedgeOptions,
): Promise<T> {
  const callOff = new AbortController();
  const either = linkSignals(signal, callOff.signal);
  return new Promise((resolve, reject) => {
    let running = 0;
    const settle = (finish: () => void): void => {
      cancelTimer();
      finish();
      callOff.abort();
      either.unlink();
    };
    const start = (attempt: Attempt<T>): void => {
      running++;
      attempt(either.signal).then(
        (answer) => settle(() => resolve(answer)),
        (error: unknown) => {
          running--;
          if (running === 0 || !(error instanceof AttemptFailure)) settle(() => reject(error));
        },
      );
    };
    const cancelTimer = deadline(clock, delay, () => start(second));
    start(first);
  });
}
