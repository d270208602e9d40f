// The URL of the clinic's service. It is fixed for a deployment: a URL parameter must not change it.
export const SERVICE = "http://127.0.0.1:8001";
