/** Limits in words. */
import type { LimitSubject } from "../../api/types";

const WORDS: Record<LimitSubject, string> = {
  address: "address",
  key: "credential",
  account: "account",
  tenant: "tenant",
  route: "route",
};

export const SUBJECTS = Object.keys(WORDS) as LimitSubject[];

export function subjectInWords(subject: LimitSubject): string {
  return WORDS[subject];
}

export function byInWords(by: LimitSubject[]): string {
  return by.map(subjectInWords).join(" and ");
}

/** `3 of 40 (8 %)`. */
export function shareInWords(part: number, whole: number): string {
  return whole === 0 ? "none" : `${part} of ${whole} (${Math.round((part / whole) * 100)} %)`;
}
