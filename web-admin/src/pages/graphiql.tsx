import "graphiql/style.css";
import "./graphiql.css";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";
import { applyScheme, showCaller } from "./frame";
import { labelEditors } from "./label-editors";

const FIRST_QUERY = `# Requests are made as you, by the session of this browser.
# Ctrl+Enter runs, Ctrl+Space completes.

query WhoAmI {
  me {
    tenant { slug name }
    roles
    permissions
  }
}
`;

const scheme = applyScheme();
const root = document.getElementById("root");
if (root) {
  labelEditors(root);
  createRoot(root).render(
    <GraphiQL
      fetcher={createGraphiQLFetcher({ url: "/graphql" })}
      defaultQuery={FIRST_QUERY}
      forcedTheme={scheme}
      shouldPersistHeaders={false}
    />,
  );
}
void showCaller();
