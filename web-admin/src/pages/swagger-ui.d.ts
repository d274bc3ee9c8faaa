declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  interface Options {
    url: string;
    dom_id: string;
    deepLinking?: boolean;
    docExpansion?: "list" | "full" | "none";
    filter?: boolean;
    validatorUrl?: string | null;
    persistAuthorization?: boolean;
  }
  export default function SwaggerUI(options: Options): unknown;
}
