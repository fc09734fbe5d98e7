import { expect, test } from "vitest";
import { ResumePoint } from "./resume-point.js";

const eventOf = (key: string, modifiedIndex: number) => ({
  node: { key, modifiedIndex, createdIndex: 1 },
});

function resumePointAt(since: number): ResumePoint {
  const resumePoint = new ResumePoint();
  resumePoint.startAt(since);
  return resumePoint;
}

test("before anything is known, a watch begins with what comes from now on", () => {
  const resumePoint = new ResumePoint();
  expect(resumePoint).toMatchObject({ since: undefined, next: 0, index: 0 });
  expect(resumePoint.isPending(5)).toBe(false);
});

test("an event leaves its own index pending, of which there may be more", () => {
  const resumePoint = resumePointAt(5);
  expect(resumePoint.take(eventOf("/a", 7))).toBe(true);
  expect(resumePoint).toMatchObject({ since: 7, isPartial: true, next: 8, index: 7 });
  resumePoint.advance(7);
  expect(resumePoint).toMatchObject({ since: 8, isPartial: false, next: 8, index: 7 });
});

test("several events of one index are told apart by their keys, each taken once", () => {
  const resumePoint = resumePointAt(5);
  const taken = ["/a", "/b", "/a", "/b"].map((key) => resumePoint.take(eventOf(key, 6)));
  expect(taken).toEqual([true, true, false, false]);
});

test("what was before is not taken, and proof of it moves nothing", () => {
  const resumePoint = resumePointAt(5);
  expect(resumePoint.take(eventOf("/a", 4))).toBe(false);
  resumePoint.advance(4);
  expect(resumePoint.since).toBe(5);
});

test("a scan leads on from here unless it leaves out an index", () => {
  const resumePoint = resumePointAt(5);
  expect([4, 5, 6].map((since) => resumePoint.isFollowedBy({ since }))).toEqual([
    true,
    true,
    false,
  ]);
  resumePoint.take(eventOf("/a", 7));
  expect([8, 9].map((since) => resumePoint.isFollowedBy({ since }))).toEqual([true, false]);
  expect(resumePoint.isFollowedBy({ since: 7, partial: true })).toBe(true);
  expect(resumePoint.isFollowedBy({ since: 8, partial: true })).toBe(false);
});
