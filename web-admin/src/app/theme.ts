/** The looks: calm, dense, and of enough contrast in both schemes. */
import {
  Badge,
  Button,
  createTheme,
  Drawer,
  Modal,
  Notification,
  PasswordInput,
  Table,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from "@mantine/core";

const kelp: MantineColorsTuple = [
  "#effcf9",
  "#d7f5ee",
  "#ade9dc",
  "#7edbc9",
  "#57cbb8",
  "#2fb3a0",
  "#159383",
  "#0f766e",
  "#0b5f59",
  "#084a46",
];

const slate: MantineColorsTuple = [
  "#dfe5ea",
  "#b9c4cd",
  "#9fadb8",
  "#6f7e8a",
  "#38444d",
  "#2a343b",
  "#1b2227",
  "#14191d",
  "#10151a",
  "#0e1215",
];

const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';

/** Overlays name their close button, and their header is no second banner of the page. */
const overlay = {
  closeButtonProps: { "aria-label": "Close" },
  attributes: { header: { role: "none" } },
  styles: { title: { fontWeight: 600 } },
};

export const theme = createTheme({
  primaryColor: "kelp",
  primaryShade: { light: 7, dark: 7 },
  colors: { kelp, dark: slate },
  defaultRadius: "md",
  fontFamily: font,
  fontFamilyMonospace: 'ui-monospace, "Cascadia Code", "SF Mono", "Liberation Mono", monospace',
  headings: {
    fontFamily: font,
    fontWeight: "650",
    sizes: { h1: { fontSize: "1.375rem" }, h2: { fontSize: "1rem" } },
  },
  fontSizes: { sm: "0.8125rem", md: "0.875rem" },
  components: {
    Badge: Badge.extend({ defaultProps: { radius: "sm", tt: "none", fw: 500 } }),
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    Drawer: Drawer.extend({ defaultProps: overlay }),
    Modal: Modal.extend({ defaultProps: { ...overlay, centered: true } }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" } } }),
    PasswordInput: PasswordInput.extend({
      defaultProps: { visibilityToggleButtonProps: { "aria-label": "Show password", tabIndex: 0 } },
    }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 8, horizontalSpacing: "md" } }),
  },
});

/** Mantine's own dimmed and error colours fall below 4.5:1 on our surfaces. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-dimmed": "#52606b",
    "--mantine-color-error": "#b42318",
    "--mantine-color-placeholder": "#6b7680",
    "--mantine-color-anchor": "#0b6b63",
    "--holdfast-ground": "#f5f7f8",
    "--holdfast-line": "#dfe4e8",
    "--holdfast-ok": "#1a7f4b",
    "--holdfast-warn": "#a15c00",
    "--holdfast-bad": "#b42318",
    "--holdfast-busy": "#1f6feb",
    "--holdfast-idle": "#7a8794",
    "--holdfast-mark": "#fdeeb0",
  },
  dark: {
    "--mantine-color-dimmed": "#9fadb8",
    "--mantine-color-kelp-light": "rgba(47, 179, 160, 0.16)",
    "--mantine-color-kelp-light-hover": "rgba(47, 179, 160, 0.22)",
    "--mantine-color-kelp-light-color": "#7edbc9",
    "--mantine-color-error": "#ff8f85",
    "--mantine-color-placeholder": "#8593a0",
    "--mantine-color-anchor": "#57cbb8",
    "--holdfast-ground": "#0e1215",
    "--holdfast-line": "#29333a",
    "--holdfast-ok": "#4cc38a",
    "--holdfast-warn": "#f0b429",
    "--holdfast-bad": "#ff8f85",
    "--holdfast-busy": "#6ea8fe",
    "--holdfast-idle": "#8593a0",
    "--holdfast-mark": "#5a4a12",
  },
});
