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
    accepting ? `Consultation requests are taken (${mode}).`
      : mode === "closed" ? "A consultation request is answered with 410, unread; everything else can be tried."
        : "A consultation request is answered with 409, unread; everything else can be tried.",
  );
  banner.className = status.state;
  banner.hidden = false;
}).catch(() => {});
