/** Where the console lives on its host. */
export const BASE = "/console";
