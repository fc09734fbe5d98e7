import { useEffect, useState } from "preact/hooks";
import type { AppState } from "./app-state.js";

/** What has a TTL. */
interface Ending {
  readonly key: string;
  readonly endsAt?: number | undefined;
}

/** The rest of a TTL, counted down. At its end, it asks whether the key has expired: a refresh is no change. */
export function TimeLeft({ state, node }: { readonly state: AppState; readonly node: Ending }) {
  const { key, endsAt } = node;
  const [now, setNow] = useState(state.now());
  const isOver = endsAt !== undefined && endsAt <= now;
  useEffect(() => {
    if (endsAt === undefined) return;
    setNow(state.now());
    const timer = setInterval(() => setNow(state.now()), 1_000);
    return () => clearInterval(timer);
  }, [endsAt]);
  useEffect(() => {
    if (isOver) void state.checkTtl(key);
  }, [isOver, key]);
  if (endsAt === undefined) return null;
  const text = isOver ? "expiring" : durationText(Math.ceil((endsAt - now) / 1_000));
  return (
    <span class="ttl" title="time to live">
      {text}
    </span>
  );
}

function durationText(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const two = (number: number): string => String(number).padStart(2, "0");
  const [minutes, hours, days] = [60, 3_600, 86_400].map((unit) => Math.floor(seconds / unit));
  if (seconds < 3_600) return `${minutes}:${two(seconds % 60)}`;
  if (seconds < 2 * 86_400) return `${hours} h ${two(Math.floor((seconds % 3_600) / 60))} min`;
  return `${days} days`;
}
