/** A limit tried on recent requests; nothing is changed by it. */
import { Button, Checkbox, Group, NumberInput, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useState, type SyntheticEvent } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { all, eq, startsWith } from "../../api/filter";
import { fieldErrors } from "../../api/problem";
import type { LimitHypothesis, LimitSubject } from "../../api/types";
import { ErrorPanel } from "../../ui/error-panel";
import { Section } from "../../ui/section";
import { Outcome } from "./outcome";
import { SUBJECTS, subjectInWords } from "./words";

interface Draft {
  by: LimitSubject[];
  perMinute: number | string;
  burst: number | string;
  cost: number | string;
  host: string;
  path: string;
}

const BEGINNING: Draft = { by: ["address"], perMinute: 60, burst: 20, cost: 1, host: "", path: "" };

function limitOf({ by, perMinute, burst, cost, host, path }: Draft): LimitHypothesis {
  const filter = all(eq("host", host.trim()), startsWith("path", path.trim()));
  return { by, per_minute: Number(perMinute), burst: Number(burst), cost: Number(cost), filter };
}

/** What can be told without asking. */
function complaintsOf({ by, perMinute, burst, cost }: Draft): Record<string, string> {
  const whole = (value: number | string) => Number.isInteger(Number(value)) && Number(value) >= 1;
  return {
    ...(by.length === 0 && { by: "Name at least one." }),
    ...(!whole(perMinute) && { per_minute: "A whole number from 1." }),
    ...(!whole(burst) && { burst: "A whole number from 1." }),
    ...(!whole(cost) && { cost: "A whole number from 1." }),
    ...(whole(cost) &&
      whole(burst) &&
      Number(cost) > Number(burst) && { cost: "At most as many as at once." }),
  };
}

export function Simulator() {
  const [draft, setDraft] = useState(BEGINNING);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const put = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  const trial = useAction({
    run: (body: LimitHypothesis, headers) => ask(api.POST("/api/v1/edge/limits/simulate", { body, headers })),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const complaints = complaintsOf(draft);
    setWrong(complaints);
    if (Object.keys(complaints).length === 0) trial.mutate(limitOf(draft));
  };
  return (
    <Section
      title="Try a limit"
      lead="Recent requests are counted again as this limit would have counted them. Nothing is changed."
    >
      <form onSubmit={submit} noValidate>
        <Stack gap="sm">
          <SimulatorFields draft={draft} errors={{ ...fieldErrors(trial.error), ...wrong }} onChange={put} />
          <Group justify="flex-end">
            <Button type="submit" loading={trial.isPending}>
              What would it refuse?
            </Button>
          </Group>
        </Stack>
      </form>
      {trial.error && <ErrorPanel error={trial.error} />}
      {trial.data && <Outcome told={trial.data} />}
    </Section>
  );
}

interface FieldsProps {
  draft: Draft;
  errors: Record<string, string>;
  onChange: (change: Partial<Draft>) => void;
}

function SimulatorFields({ draft, errors, onChange }: FieldsProps) {
  return (
    <>
      <Checkbox.Group
        label="Count by"
        description="Each combination has a quota of its own."
        error={errors.by}
        value={draft.by}
        onChange={(by) => onChange({ by })}
      >
        <Group mt="xs">
          {SUBJECTS.map((subject) => (
            <Checkbox key={subject} value={subject} label={subjectInWords(subject)} />
          ))}
        </Group>
      </Checkbox.Group>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <Whole
          label="Requests a minute"
          value={draft.perMinute}
          error={errors.per_minute}
          onChange={(perMinute) => onChange({ perMinute })}
        />
        <Whole
          label="At once"
          value={draft.burst}
          error={errors.burst}
          onChange={(burst) => onChange({ burst })}
        />
        <Whole
          label="A request takes"
          value={draft.cost}
          error={errors.cost}
          onChange={(cost) => onChange({ cost })}
        />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput
          label="Host"
          description="Empty for all hosts"
          value={draft.host}
          onChange={(event) => onChange({ host: event.currentTarget.value })}
        />
        <TextInput
          label="Path begins with"
          description="Empty for all paths"
          value={draft.path}
          onChange={(event) => onChange({ path: event.currentTarget.value })}
        />
      </SimpleGrid>
    </>
  );
}

interface WholeProps {
  label: string;
  value: number | string;
  error: string | undefined;
  onChange: (value: number | string) => void;
}

function Whole({ label, ...input }: WholeProps) {
  return (
    <NumberInput
      label={label}
      min={1}
      max={4_294_967_295}
      allowDecimal={false}
      required
      hideControls
      {...input}
    />
  );
}
