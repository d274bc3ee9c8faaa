/** Whom a grant is for: out of the members and roles where they may be seen, else by id. */
import { Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client";
import { contains } from "../../api/filter";
import type { Member } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { useRoles } from "./people";

interface ChoiceProps {
  value?: string;
  onChange?: (value: string | null) => void;
  error?: React.ReactNode;
}

/** Members offered at once. */
const OFFERED = 20;
const TYPING_MS = 250;

/** A member by name or e-mail; the server looks through all of them. */
export function AccountChoice({ value, ...props }: ChoiceProps) {
  const can = usePermissions();
  const [text, setText] = useState("");
  const [picked, setPicked] = useState<Choice | null>(null);
  const [term] = useDebouncedValue(text === picked?.label ? "" : text.trim(), TYPING_MS);
  const members = useQuery({
    queryKey: ["members", "matching", term],
    queryFn: ({ signal }) =>
      ask(
        api.GET("/api/v1/tenancy/members", {
          params: { query: { limit: OFFERED, sort: "email", filter: matching(term) } },
          signal,
        }),
      ),
    enabled: can("tenancy.members.read"),
    placeholderData: keepPreviousData,
  });
  if (!can("tenancy.members.read") || members.error)
    return <ById label="Account" example="usr_…" value={value} {...props} />;
  const found = (members.data?.items ?? []).map(choiceOf);
  const known = picked && !found.some((choice) => choice.value === picked.value) ? [picked, ...found] : found;
  return (
    <Select
      label="Member"
      description="Type a part of the name or e-mail"
      required
      searchable
      data={known}
      // The server has filtered already.
      filter={({ options }) => options}
      nothingFoundMessage={members.isFetching ? "Looking…" : "No member is called that."}
      {...props}
      value={value || null}
      searchValue={text}
      onSearchChange={setText}
      onChange={(next, option) => {
        setPicked(next ? option : null);
        props.onChange?.(next);
      }}
    />
  );
}

interface Choice {
  value: string;
  label: string;
}

function choiceOf({ account_id, email, display_name }: Member): Choice {
  return { value: account_id, label: display_name ? `${display_name} (${email})` : email };
}

function matching(term: string): string | undefined {
  if (!term) return undefined;
  return `${contains("email", term) ?? ""} or ${contains("display_name", term) ?? ""}`;
}

export function RoleChoice({ value, ...props }: ChoiceProps) {
  const roles = useRoles();
  if (!roles.data && !roles.isLoading) return <ById label="Role" example="rol_…" value={value} {...props} />;
  const data = (roles.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return <Select label="Role" required searchable data={data} {...props} value={value || null} />;
}

function ById({ label, example, value, onChange, error }: ChoiceProps & { label: string; example: string }) {
  return (
    <TextInput
      label={`${label} id`}
      description="You may not see the list, so ask for the id"
      placeholder={example}
      required
      value={value}
      error={error}
      onChange={(event) => onChange?.(event.currentTarget.value)}
    />
  );
}
