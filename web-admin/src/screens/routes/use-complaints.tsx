import { useCallback, useEffect, useRef, type ReactNode, type RefObject } from "react";
import { complaintsOf } from "./complaints";
import { Wrongs } from "./json-editor";

interface Form {
  error: unknown;
  fields: readonly string[];
  /** Of the row, as it was sent. */
  name: string;
  form: { setErrors: (errors: Record<string, ReactNode>) => void };
  body: RefObject<HTMLElement | null>;
}

/**
 * Shows what was refused where it was written, until that is changed, and takes the focus there, so that it is seen and
 * read out. Gives what takes the focus when the form itself finds something wrong.
 */
export function useComplaints({ error, fields, name, form: { setErrors }, body }: Form): () => void {
  const sent = useRef(name);
  useEffect(() => {
    sent.current = name;
  }, [name]);
  const focusWrong = useCallback(
    () => setTimeout(() => body.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()),
    [body],
  );
  useEffect(() => {
    const { byField } = complaintsOf(error, fields, sent.current);
    const shown = Object.entries(byField).map(([field, wrongs]) => [
      field,
      <Wrongs key={field} wrongs={wrongs} />,
    ]);
    setErrors(Object.fromEntries(shown) as Record<string, ReactNode>);
    if (shown.length > 0) focusWrong();
  }, [error, fields, setErrors, focusWrong]);
  return focusWrong;
}
