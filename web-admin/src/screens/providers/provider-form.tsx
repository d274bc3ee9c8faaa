/** Adding a provider of models, and changing one. */
import {
  Checkbox,
  NumberInput,
  PasswordInput,
  SimpleGrid,
  Switch,
  TagsInput,
  TextInput,
} from "@mantine/core";
import { useForm, type UseFormReturnType } from "@mantine/form";
import { useEffect } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import type { ModelProvider } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";

interface Values {
  name: string;
  base_url: string;
  api_key: string;
  /** Forget the key that is kept. */
  without_key: boolean;
  models: string[];
  enabled: boolean;
  first_token_timeout_ms: number;
  idle_timeout_ms: number;
}

const TIMEOUT_MS = 30_000;

const validate = {
  name: (name: string) => (name.trim() ? null : "Give the provider a name."),
  base_url: (url: string) =>
    /^https?:\/\/.+/.test(url) ? null : "Enter an address that begins with https://.",
  models: (models: string[]) => (models.length > 0 ? null : "Name at least one model."),
};

export function CreateProvider({ onClose }: { onClose: () => void }) {
  const form = useForm<Values>({
    initialValues: {
      name: "",
      base_url: "",
      api_key: "",
      without_key: false,
      models: [],
      enabled: true,
      first_token_timeout_ms: TIMEOUT_MS,
      idle_timeout_ms: TIMEOUT_MS,
    },
    validate,
  });
  const create = useAction({
    run: (values: Values, headers) =>
      ask(
        api.POST("/api/v1/chat/providers", {
          body: { ...kept(values), api_key: values.api_key || undefined },
          headers,
        }),
      ),
    changes: [["providers"]],
    done: "Provider added.",
    onSuccess: onClose,
  });
  useFieldErrors(form, create.error);
  return (
    <FormDialog
      opened
      title="Add a provider"
      onClose={onClose}
      onSubmit={form.onSubmit((values) => create.mutate(values))}
      submitLabel="Add"
      pending={create.isPending}
      error={create.error}
    >
      <Fields form={form} provider={null} />
    </FormDialog>
  );
}

interface EditProps {
  provider: ModelProvider;
  onClose: () => void;
  onReload: () => void;
}

export function EditProvider({ provider, onClose, onReload }: EditProps) {
  const { name, base_url, models, enabled, first_token_timeout_ms, idle_timeout_ms } = provider;
  const form = useForm<Values>({
    initialValues: {
      name,
      base_url,
      api_key: "",
      without_key: false,
      models,
      enabled,
      first_token_timeout_ms,
      idle_timeout_ms,
    },
    validate,
  });
  const save = useAction({
    run: ({ api_key, without_key, ...values }: Values, headers) =>
      ask(
        api.PATCH("/api/v1/chat/providers/{id}", {
          params: { path: { id: provider.id } },
          // A key that is left out stays as it is; null takes it away.
          body: { ...values, ...(without_key ? { api_key: null } : api_key && { api_key }) },
          headers: { ...headers, ...ifMatch(provider) },
        }),
      ),
    changes: [["providers"]],
    done: "Provider saved.",
    onSuccess: onClose,
  });
  useFieldErrors(form, save.error);
  return (
    <FormDialog
      opened
      title={`Edit ${provider.name}`}
      onClose={onClose}
      onSubmit={form.onSubmit((values) => save.mutate(values))}
      submitLabel="Save"
      pending={save.isPending}
      error={save.error}
      onReload={onReload}
    >
      <Fields form={form} provider={provider} />
    </FormDialog>
  );
}

/** The values that are sent as they are. */
function kept({ name, base_url, models, enabled, first_token_timeout_ms, idle_timeout_ms }: Values) {
  return { name, base_url, models, enabled, first_token_timeout_ms, idle_timeout_ms };
}

type Form = UseFormReturnType<Values>;

function Fields({ form, provider }: { form: Form; provider: ModelProvider | null }) {
  const kept = provider?.has_api_key ?? false;
  const moved = kept && form.values.base_url !== provider?.base_url;
  return (
    <>
      <TextInput label="Name" required data-autofocus {...form.getInputProps("name")} />
      <TextInput
        label="Address"
        description="Below which /chat/completions is, such as https://api.openai.com/v1"
        type="url"
        required
        {...form.getInputProps("base_url")}
      />
      <PasswordInput
        label="API key"
        description={keyHint(kept, moved)}
        autoComplete="off"
        disabled={form.values.without_key}
        visibilityToggleButtonProps={{ "aria-label": "Show the key", tabIndex: 0 }}
        {...form.getInputProps("api_key")}
      />
      {kept && (
        <Checkbox label="Forget the key" {...form.getInputProps("without_key", { type: "checkbox" })} />
      )}
      <TagsInput
        label="Models"
        description="The first is asked unless a question names another; Enter adds one"
        required
        {...form.getInputProps("models")}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <NumberInput
          label="First token within"
          suffix=" ms"
          min={100}
          max={600_000}
          hideControls
          {...form.getInputProps("first_token_timeout_ms")}
        />
        <NumberInput
          label="Silence at most"
          suffix=" ms"
          min={100}
          max={600_000}
          hideControls
          {...form.getInputProps("idle_timeout_ms")}
        />
      </SimpleGrid>
      <Switch label="Enabled" {...form.getInputProps("enabled", { type: "checkbox" })} />
    </>
  );
}

function keyHint(kept: boolean, moved: boolean): string {
  if (moved) return "The key that is kept was meant for the old address and goes; enter the new one.";
  return kept ? "A key is kept; leave this empty to keep it." : "Kept sealed and never shown again.";
}

function useFieldErrors({ setErrors }: Form, error: unknown) {
  useEffect(() => setErrors(fieldErrors(error)), [error, setErrors]);
}
