// Numbers as people read them. Pure functions; every unit is part of the text.

const integers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Three significant digits, never more decimals than make sense. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 100) return integers.format(value);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.01 || size === 0) return value.toFixed(2).replace(/^(-?\d)\.00$/, "$1");
  return value.toPrecision(1);
}

export function count(value: number): string {
  return Number.isFinite(value) ? integers.format(value) : "–";
}

/** "1 token", "2 tokens". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A duration given in milliseconds: "0.42 ms", "338 ms", "1.92 s", "3 min 20 s". */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 999.5) return `${digits(ms)} ms`;
  if (ms < 99_950) return `${digits(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
}

export function perSecond(value: number, unit = "tokens"): string {
  return `${digits(value)} ${unit}/s`;
}

export function percent(fraction: number): string {
  if (!Number.isFinite(fraction)) return "–";
  const value = fraction * 100;
  return `${value > 0 && value < 10 ? digits(value) : Math.round(value)} %`;
}

/** A fraction for a style: CSS knows no space before its %. */
export function cssPercent(fraction: number): string {
  return `${Math.min(100, Math.max(0, fraction * 100 || 0)).toFixed(3)}%`;
}

export function bytes(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${at === 0 ? count(value) : digits(value)} ${units[at]}`;
}

/** Linear interpolation between order statistics; NaN when there are none. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at));
}

export const median = (values: readonly number[]) => quantile(values, 0.5);
