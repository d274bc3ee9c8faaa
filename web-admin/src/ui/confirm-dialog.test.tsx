import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { renderPiece } from "../test/render";
import { ConfirmDialog } from "./confirm-dialog";

test("the button works only after the word is typed", async () => {
  const mutate = vi.fn();
  renderPiece(
    <ConfirmDialog
      title="Delete?"
      confirmLabel="Delete"
      typed="acme"
      action={{ mutate, isPending: false, error: null }}
      onClose={() => {}}
    >
      Gone for good.
    </ConfirmDialog>,
  );
  const confirm = screen.getByRole("button", { name: "Delete" });
  expect(confirm).toBeDisabled();

  await userEvent.type(screen.getByLabelText("Type acme to confirm"), "acme");
  await userEvent.click(confirm);

  expect(mutate).toHaveBeenCalledOnce();
});
