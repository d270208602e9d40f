SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#documentation",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelRendering: "example",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
});

fetch("/v1/status").then((answer) => answer.json()).then((status) => {
  const banner = document.getElementById("state");
  const headline = document.createElement("strong");
  const { accepting, mode } = status.consultations;
  headline.textContent = `${status.headline}. `;
  banner.append(
    headline,
    accepting ? `Consultation requests are accepted (${mode}).`
      : `The answer to a consultation request is ${mode === "closed" ? 410 : 409}. You can try everything else.`,
  );
  banner.className = status.state;
  banner.hidden = false;
}).catch(() => {});
