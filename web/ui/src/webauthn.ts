// JSON as the server speaks it <-> what navigator.credentials wants. Written by hand because toJSON() and
// parse...FromJSON() are younger than browsers in hospitals.
import { fromBase64Url, toBase64Url } from "./bytes";

type Json = Record<string, any>;

const ids = (list: Json[] | undefined) => (list ?? []).map((c) => ({ ...c, id: fromBase64Url(c.id), type: "public-key" as const }));

export async function create(options: Json): Promise<Json> {
  const k = options.publicKey;
  const publicKey = {
    ...k,
    challenge: fromBase64Url(k.challenge),
    user: { ...k.user, id: fromBase64Url(k.user.id) },
    excludeCredentials: ids(k.excludeCredentials),
  } as PublicKeyCredentialCreationOptions;
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  const r = made.response as AuthenticatorAttestationResponse;
  return {
    id: made.id,
    rawId: toBase64Url(made.rawId),
    type: made.type,
    response: {
      attestationObject: toBase64Url(r.attestationObject),
      clientDataJSON: toBase64Url(r.clientDataJSON),
      transports: r.getTransports?.(),
    },
    extensions: made.getClientExtensionResults(),
  };
}

export async function get(options: Json): Promise<Json> {
  const k = options.publicKey;
  const publicKey = { ...k, challenge: fromBase64Url(k.challenge), allowCredentials: ids(k.allowCredentials) } as PublicKeyCredentialRequestOptions;
  const used = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
  const r = used.response as AuthenticatorAssertionResponse;
  return {
    id: used.id,
    rawId: toBase64Url(used.rawId),
    type: used.type,
    response: {
      authenticatorData: toBase64Url(r.authenticatorData),
      clientDataJSON: toBase64Url(r.clientDataJSON),
      signature: toBase64Url(r.signature),
      userHandle: r.userHandle ? toBase64Url(r.userHandle) : null,
    },
    extensions: used.getClientExtensionResults(),
  };
}

/// What the browser's refusal means to a person.
export function explain(e: unknown): string {
  const name = e instanceof DOMException ? e.name : "";
  if (name === "NotAllowedError" || name === "AbortError") return "The passkey was not used: you cancelled, or it took too long. Nothing was sent.";
  if (name === "InvalidStateError") return "This device already holds a passkey for you. Use another device or security key.";
  if (name === "SecurityError") return "Passkeys work only at this portal's own address. Check the address bar.";
  if (name === "NotSupportedError") return "This device cannot make the kind of passkey that is needed here.";
  return e instanceof Error && e.message ? e.message : "Something went wrong in the browser. Try again.";
}
