/** Making a collection, and changing one. */
import { Select, Switch, Textarea, TextInput } from "@mantine/core";
import { useForm, type UseFormReturnType } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import type { Collection, EmbeddingModel } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { FormDialog } from "../../ui/form-dialog";
import { modelsQuery } from "../knowledge/no-model";

interface Values {
  name: string;
  description: string;
  searchable: boolean;
  /** Empty for the installation's own choice. */
  model: string;
}

const validate = { name: (name: string) => (name.trim() ? null : "Give the collection a name.") };

interface CreateProps {
  onClose: () => void;
  onCreated: (collection: Collection) => void;
}

export function CreateCollection({ onClose, onCreated }: CreateProps) {
  const form = useForm<Values>({
    initialValues: { name: "", description: "", searchable: true, model: "" },
    validate,
  });
  const create = useAction({
    run: ({ name, description, searchable, model }: Values, headers) =>
      ask(
        api.POST("/api/v1/vault/collections", {
          body: {
            name,
            searchable,
            description: description || undefined,
            model: (searchable && model) || undefined,
          },
          headers,
        }),
      ),
    changes: [["collections"]],
    done: "Collection created.",
    onSuccess: (created) => {
      onClose();
      onCreated(created);
    },
  });
  useFieldErrors(form, create.error);
  return (
    <FormDialog
      opened
      title="New collection"
      onClose={onClose}
      onSubmit={form.onSubmit((values) => create.mutate(values))}
      submitLabel="Create"
      pending={create.isPending}
      error={create.error}
    >
      <TextInput label="Name" required data-autofocus {...form.getInputProps("name")} />
      <Description form={form} />
      <Switch
        label="Searchable"
        description={
          form.values.searchable
            ? "For search and chat, its text is kept in the clear in a private folder of the server. This can't be changed later."
            : "Nothing of its documents is ever on the disk in the clear; search and chat don't see it. This can't be changed later."
        }
        {...form.getInputProps("searchable", { type: "checkbox" })}
      />
      {form.values.searchable && <Model form={form} />}
    </FormDialog>
  );
}

interface EditProps {
  collection: Collection;
  onClose: () => void;
  onReload: () => void;
}

export function EditCollection({ collection, onClose, onReload }: EditProps) {
  const { name, description, searchable, model } = collection;
  const form = useForm<Values>({
    initialValues: { name, description, searchable, model: model ?? "" },
    validate,
  });
  const save = useAction({
    run: (values: Values, headers) =>
      ask(
        api.PATCH("/api/v1/vault/collections/{id}", {
          params: { path: { id: collection.id } },
          body: {
            name: values.name,
            description: values.description,
            ...(searchable && values.model !== (model ?? "") && { model: values.model || null }),
          },
          headers: { ...headers, ...ifMatch(collection) },
        }),
      ),
    changes: [["collections"], ["collection", collection.id], ["reading"]],
    done: "Collection saved.",
    onSuccess: onClose,
  });
  useFieldErrors(form, save.error);
  return (
    <FormDialog
      opened
      title="Edit the collection"
      onClose={onClose}
      onSubmit={form.onSubmit((values) => save.mutate(values))}
      submitLabel="Save"
      pending={save.isPending}
      error={save.error}
      onReload={onReload}
    >
      <TextInput label="Name" required data-autofocus {...form.getInputProps("name")} />
      <Description form={form} />
      {searchable && <Model form={form} />}
    </FormDialog>
  );
}

type Form = UseFormReturnType<Values>;

function Description({ form }: { form: Form }) {
  return (
    <Textarea
      label="Description"
      description="What it is for"
      autosize
      minRows={2}
      maxRows={6}
      {...form.getInputProps("description")}
    />
  );
}

/** Which model places the documents by their meaning. */
function Model({ form }: { form: Form }) {
  const can = usePermissions();
  const models = useQuery({ ...modelsQuery, enabled: can("knowledge.read") });
  const items = models.data?.items ?? [];
  const chosen = items.find((item) => item.name === form.values.model) ?? items.find((item) => item.default);
  return (
    <Select
      label="Embedding model"
      description={chosen && !chosen.usable ? chosen.reason : "Finds passages by what they mean"}
      allowDeselect={false}
      data={[{ value: "", label: "The default of this installation" }, ...items.map(choice)]}
      {...form.getInputProps("model")}
    />
  );
}

function choice({ name, usable, default: isDefault }: EmbeddingModel) {
  const remarks = [isDefault && "default", !usable && "not at hand"].filter(Boolean).join(", ");
  return { value: name, label: remarks ? `${name} (${remarks})` : name };
}

function useFieldErrors({ setErrors }: Form, error: unknown) {
  useEffect(() => setErrors(fieldErrors(error)), [error, setErrors]);
}
