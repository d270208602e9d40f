// Shows and reads times in the clinic's time zone, independent of the device's time zone.

const DAY = 24 * 60 * 60 * 1000;

let zone;
let moment;
let day;

export function useZone(name) {
  zone = name;
  moment = new Intl.DateTimeFormat(undefined, {
    timeZone: name, year: "numeric", month: "short", day: "numeric", hour: "numeric",
    minute: "2-digit", timeZoneName: "short",
  });
  day = new Intl.DateTimeFormat(undefined, { timeZone: name, dateStyle: "medium" });
}

export const zoneName = () => zone;
export const momentOf = (instant) => moment.format(new Date(instant));
export const dayOf = (instant) => day.format(new Date(instant));

// The instant of a local time such as 2026-11-01T01:30, and `times`: how often this local time occurs.
// When clocks go back it can occur twice: the result is the first one. When clocks go forward it may
// not occur: the result is the instant as if the clocks had not changed yet.
export function instantOf(text, name = zone) {
  const wall = Date.parse(`${text}Z`);
  const readings = new Intl.DateTimeFormat("en-US", {
    timeZone: name, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23",
    year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric",
    second: "numeric",
  });
  const wallAt = (instant) => {
    const part = Object.fromEntries(readings.formatToParts(instant).map(({ type, value }) => [type, +value]));
    return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
  };
  const candidates = [wall - DAY, wall + DAY].map((near) => wall - (wallAt(near) - near));
  const found = new Set(candidates.filter((instant) => wallAt(instant) === wall));
  const [instant = candidates[0]] = found;
  return { instant: new Date(instant).toISOString(), times: found.size };
}
