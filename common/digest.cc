#include "common/digest.h"

#include <openssl/evp.h>

#include "absl/strings/escaping.h"
#include "common/check.h"

namespace tunefleet::common {

struct DigestStream::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(md); }
};

DigestStream::DigestStream() : context_(std::make_unique<Context>()) {
  TF_CHECK(EVP_DigestInit_ex(context_->md, EVP_sha256(), nullptr) == 1, "SHA-256 init");
}

DigestStream::~DigestStream() = default;

void DigestStream::Update(absl::string_view data) {
  TF_CHECK(EVP_DigestUpdate(context_->md, data.data(), data.size()) == 1, "SHA-256 update");
}

std::string DigestStream::Finish() {
  std::string digest(kDigestBytes, '\0');
  TF_CHECK(EVP_DigestFinal_ex(context_->md, reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1,
           "SHA-256 final");
  return digest;
}

std::string Sha256(absl::string_view data) {
  DigestStream stream;
  stream.Update(data);
  return stream.Finish();
}

std::string HexDigest(absl::string_view digest) { return absl::BytesToHexString(digest); }

}  // namespace tunefleet::common
