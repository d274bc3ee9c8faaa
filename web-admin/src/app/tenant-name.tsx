import { Badge } from "@mantine/core";
import { useMe } from "../session/me";
import classes from "./tenant-name.module.css";

/** Whose data is on the screen. */
export function TenantName() {
  const { tenant } = useMe();
  return (
    <Badge variant="default" size="lg" className={classes.tenant} title={`Tenant ${tenant.slug}`}>
      {tenant.name}
    </Badge>
  );
}
