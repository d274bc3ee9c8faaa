import { Code, Progress, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import type { Job } from "../../api/types";
import { Facts } from "../../ui/facts";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { At } from "../../ui/time";
import { JobActions } from "./job-actions";
import { isSettled, JobStatus } from "./job-status";

const route = getRouteApi("/app/jobs/$id");

export function JobScreen() {
  const { id } = route.useParams();
  const job = useQuery({
    queryKey: ["jobs", "job", id],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/jobs/{id}", { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data && isSettled(state.data) ? false : 2_000),
  });
  return (
    <Page
      title={job.data?.kind ?? "Job"}
      back={{ to: "/jobs", label: "Jobs" }}
      actions={job.data && <JobActions job={job.data} onReload={() => void job.refetch()} />}
    >
      <QueryView query={job}>
        {(data) => (
          <>
            {data.progress && <JobProgress progress={data.progress} />}
            <JobFacts job={data} />
            {data.last_error && (
              <Section title="Last error">
                <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
                  {data.last_error}
                </Code>
              </Section>
            )}
          </>
        )}
      </QueryView>
    </Page>
  );
}

function JobProgress({ progress }: { progress: NonNullable<Job["progress"]> }) {
  const { done, total, note } = progress;
  return (
    <Section title="Progress">
      <Stack gap={6}>
        {!!total && <Progress value={(done / total) * 100} aria-label="Progress" />}
        <Text size="md">
          {total ? `${done} of ${total}` : done}
          {note && ` · ${note}`}
        </Text>
      </Stack>
    </Section>
  );
}

function JobFacts({ job }: { job: Job }) {
  return (
    <Section title="About">
      <Facts
        items={{
          State: <JobStatus state={job.state} />,
          Queue: job.queue,
          Attempt: `${job.attempt} of ${job.max_attempts}`,
          Priority: job.priority,
          "Unique key": job.unique_key && <Code>{job.unique_key}</Code>,
          Runs: <At at={job.run_at} />,
          Created: <At at={job.created_at} />,
          Changed: <At at={job.updated_at} />,
          Finished: job.finished_at && <At at={job.finished_at} />,
          Id: <Code>{job.id}</Code>,
        }}
      />
    </Section>
  );
}
