// Where the clinic's service is. It belongs to the deployment: never take it from the address bar.
export const SERVICE = "http://127.0.0.1:8001";
