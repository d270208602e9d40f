import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.ClinicApi;
import org.openapitools.client.api.ConsultationRequestsApi;
import org.openapitools.client.api.StaffApi;
import org.openapitools.client.model.AuditEventPublic;
import org.openapitools.client.model.ClinicState;
import org.openapitools.client.model.ConsultationFormPublic;
import org.openapitools.client.model.ConsultationRequestAccepted;
import org.openapitools.client.model.ConsultationRequestCreate;
import org.openapitools.client.model.DetailsValue;
import org.openapitools.client.model.FormDialect;
import org.openapitools.client.model.ReceiptPublic;
import org.openapitools.client.model.RequestState;

/** A request and its receipt with the Java client that openapi-generator makes. */
public class Ask {
  static final String SERVICE = System.getenv("SERVICE");

  public static void main(String[] arguments) throws ApiException {
    ApiClient anybody = clientOf("");
    check(new ClinicApi(anybody).readStatus().getState() == ClinicState.OPEN, "open");
    ConsultationRequestsApi api = new ConsultationRequestsApi(anybody);
    ConsultationFormPublic form = api.readConsultationRequestForm(FormDialect.CONST);
    check(form.getSchema().containsKey("properties"), "the schema is a map");

    ConsultationRequestCreate request = new ConsultationRequestCreate()
        .name("Robin").email("robin@example.com")
        .topic("other")
        .consentToContact(false).formVersion(form.getVersion());
    check(refusal(api, request).contains("consent_to_contact.required"), "no consent, no request");
    request.consentToContact(true);
    String key = "from-the-java-generator";
    ConsultationRequestAccepted accepted = api.createConsultationRequest(request, key);
    check(api.createConsultationRequest(request, key).getId().equals(accepted.getId()), "the same");

    ApiClient mine = clientOf(accepted.getReceiptToken());
    ReceiptPublic receipt =
        new ConsultationRequestsApi(mine).readConsultationRequest(accepted.getId());
    check(receipt.getState() == RequestState.RECEIVED, "the receipt");

    StaffApi staff = new StaffApi(clientOf(System.getenv("TOKEN")));
    boolean isListed = false;
    for (AuditEventPublic event : staff.listAuditEvents(null, null, null).getData()) {
      DetailsValue scopes = event.getDetails().get("scopes");
      isListed |= scopes != null && scopes.getString().contains("intake:read");
    }
    check(isListed, "the audit's details");
  }

  static ApiClient clientOf(String token) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(SERVICE);
    if (!token.isEmpty()) {
      client.setRequestInterceptor(call -> call.header("Authorization", "Bearer " + token));
    }
    return client;
  }

  static String refusal(ConsultationRequestsApi api, ConsultationRequestCreate request) {
    try {
      api.createConsultationRequest(request, null);
    } catch (ApiException error) {
      check(error.getCode() == 422, error.getCode() + ": " + error.getResponseBody());
      return error.getResponseBody();
    }
    throw new AssertionError("not refused");
  }

  static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }
}
