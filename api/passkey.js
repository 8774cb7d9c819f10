/*
 * passkey.js - lets a browser's passkey fill in a form. The one script of the pages: WebAuthn cannot be asked without one.
 *
 * A form says what it wants in data-: passkey (get, make), challenge, rp, ids, owner, and for a new one user, name. The answer goes
 * into its hidden fields as base64url, and the form goes its way like every other. Where there is no script, or no passkey, the form
 * stays hidden and the words in its place say what else can be done.
 */
"use strict";
(() => {
  const bytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), c => c.charCodeAt(0));
  const text = buffer =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const keys = form => form.dataset.ids.split(" ").filter(id => id).map(id => ({ type: "public-key", id: bytes(id) }));

  const get = async form => {
    const c = await navigator.credentials.get({
      publicKey: {
        challenge: bytes(form.dataset.challenge), rpId: form.dataset.rp, allowCredentials: keys(form),
        userVerification: form.dataset.owner,
      },
    });
    return { credential: c.rawId, client: c.response.clientDataJSON, data: c.response.authenticatorData, signature: c.response.signature,
      user: c.response.userHandle };
  };

  const make = async form => {
    const c = await navigator.credentials.create({
      publicKey: {
        challenge: bytes(form.dataset.challenge), rp: { id: form.dataset.rp, name: form.dataset.rp },
        user: { id: bytes(form.dataset.user), name: form.dataset.name, displayName: form.dataset.name },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }], excludeCredentials: keys(form),
        authenticatorSelection: { residentKey: "required", userVerification: form.dataset.owner }, attestation: "none",
      },
    });
    return { client: c.response.clientDataJSON, attestation: c.response.attestationObject };
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const said = form.querySelector("[role=alert]");
    if (!window.PublicKeyCredential)
      continue;
    form.hidden = false;
    form.nextElementSibling.hidden = true;
    form.addEventListener("submit", async event => {
      event.preventDefault();
      said.textContent = "";
      try {
        const answer = await (form.dataset.passkey === "get" ? get : make)(form);
        for (const [name, value] of Object.entries(answer))
          form.elements[name].value = text(value);
        form.submit();
      } catch (error) {
        said.textContent = error.name === "InvalidStateError" ? "这台设备上的通行密钥已经加过了，不用再加。"
          : "没有成功：可能是取消了，或这台设备上没有合适的通行密钥。可以再试一次，或改用别的方式。";
      }
    });
  }
})();
