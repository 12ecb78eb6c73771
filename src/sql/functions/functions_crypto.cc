// aes_encrypt, aes_decrypt. Encryption takes its initialization vector as an argument: a random one
// would make an epoch's result differ when it is computed again.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <memory>

#include "sql/expressions/analysis_error.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;

enum class Mode { kEcb, kCbc, kGcm };

struct Cipher {
  Mode mode = Mode::kGcm;
  size_t vector_bytes = 12;
  const char* name = "GCM";
};

constexpr size_t kTagBytes = 16;

Result<Cipher> CipherOf(Text mode, Text padding) {
  const std::string m = LowerAscii(mode);
  const std::string p = LowerAscii(padding);
  if (m == "gcm" && (p == "none" || p == "default")) return Cipher{Mode::kGcm, 12, "GCM"};
  if (m == "cbc" && (p == "pkcs" || p == "default")) return Cipher{Mode::kCbc, 16, "CBC"};
  if (m == "ecb" && (p == "pkcs" || p == "default")) return Cipher{Mode::kEcb, 0, "ECB"};
  return MakeError(
      "UNSUPPORTED_FEATURE.AES_MODE",
      fmt::format("[UNSUPPORTED_FEATURE.AES_MODE] the feature is not supported: AES-{} "
                  "with the padding {}. SQLSTATE: 0A000",
                  mode, padding));
}

const EVP_CIPHER* Algorithm(Mode mode, size_t key_bytes) {
  switch (mode) {
    case Mode::kEcb:
      return key_bytes == 16   ? EVP_aes_128_ecb()
             : key_bytes == 24 ? EVP_aes_192_ecb()
                               : EVP_aes_256_ecb();
    case Mode::kCbc:
      return key_bytes == 16   ? EVP_aes_128_cbc()
             : key_bytes == 24 ? EVP_aes_192_cbc()
                               : EVP_aes_256_cbc();
    case Mode::kGcm: break;
  }
  return key_bytes == 16   ? EVP_aes_128_gcm()
         : key_bytes == 24 ? EVP_aes_192_gcm()
                           : EVP_aes_256_gcm();
}

Status Failed(const char* what) {
  return MakeError("INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR",
                   fmt::format("[INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR] {} failed: the key, the "
                               "mode or the bytes do not match. SQLSTATE: 22023",
                               what));
}

const unsigned char* Bytes(Text text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct Work {
  Text input;
  Text key;
  Cipher cipher;
  Text vector;
  Text more;  // authenticated, not encrypted
  bool encrypt;
};

Result<std::string> Run(const Work& work) {
  if (work.key.size() != 16 && work.key.size() != 24 && work.key.size() != 32) {
    return MakeError("INVALID_PARAMETER_VALUE.AES_KEY_LENGTH",
                     fmt::format("[INVALID_PARAMETER_VALUE.AES_KEY_LENGTH] expects a binary value "
                                 "with 16, 24 or 32 bytes, but got {} bytes. SQLSTATE: 22023",
                                 work.key.size()));
  }
  const char* what = work.encrypt ? "aes_encrypt" : "aes_decrypt";
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  SLUICE_CHECK(context != nullptr, "no memory for a cipher");
  const bool gcm = work.cipher.mode == Mode::kGcm;
  Text input = work.input;
  std::string tag;
  if (gcm && !work.encrypt) {
    if (input.size() < kTagBytes) return Failed(what);
    tag = input.substr(input.size() - kTagBytes);
    input.remove_suffix(kTagBytes);
  }
  const EVP_CIPHER* algorithm = Algorithm(work.cipher.mode, work.key.size());
  const int encrypt = work.encrypt ? 1 : 0;
  std::string out(input.size() + 32, '\0');
  auto* written = reinterpret_cast<unsigned char*>(out.data());
  int size = 0;
  int rest = 0;
  bool ok = EVP_CipherInit_ex(context.get(), algorithm, nullptr, Bytes(work.key),
                              work.vector.empty() ? nullptr : Bytes(work.vector), encrypt) == 1;
  if (ok && gcm && !work.more.empty())
    ok = EVP_CipherUpdate(context.get(), nullptr, &size, Bytes(work.more),
                          static_cast<int>(work.more.size())) == 1;
  size = 0;
  if (ok && !input.empty())
    ok = EVP_CipherUpdate(context.get(), written, &size, Bytes(input),
                          static_cast<int>(input.size())) == 1;
  if (ok && gcm && !work.encrypt)
    ok = EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1;
  if (!ok || EVP_CipherFinal_ex(context.get(), written + size, &rest) != 1) return Failed(what);
  out.resize(static_cast<size_t>(size + rest));
  if (gcm && work.encrypt) {
    tag.resize(kTagBytes);
    if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) != 1)
      return Failed(what);
    out += tag;
  }
  return out;
}

// aes_encrypt(input, key, mode, padding, vector, more): the vector stands before the result.
Result<std::string> Encrypt(Text input, Text key, Text mode, Text padding, Text vector, Text more) {
  SLUICE_ASSIGN_OR_RETURN(auto cipher, CipherOf(mode, padding));
  if (vector.size() != cipher.vector_bytes) {
    if (vector.empty())
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: aes_encrypt with a random initialization vector",
                       "give the vector as the fifth argument");
    if (cipher.mode == Mode::kEcb)
      return MakeError("UNSUPPORTED_FEATURE.AES_MODE_IV",
                       "[UNSUPPORTED_FEATURE.AES_MODE_IV] the feature is not supported: AES-ECB "
                       "with an initialization vector. SQLSTATE: 0A000");
    return MakeError("INVALID_PARAMETER_VALUE.AES_IV_LENGTH",
                     fmt::format("[INVALID_PARAMETER_VALUE.AES_IV_LENGTH] supports {}-byte "
                                 "initialization vectors with {} mode, but got {} bytes. SQLSTATE: "
                                 "22023",
                                 cipher.vector_bytes, cipher.name, vector.size()));
  }
  if (!more.empty() && cipher.mode != Mode::kGcm)
    return MakeError("UNSUPPORTED_FEATURE.AES_MODE_AAD",
                     "[UNSUPPORTED_FEATURE.AES_MODE_AAD] the feature is not supported: additional "
                     "authenticated data outside GCM. SQLSTATE: 0A000");
  SLUICE_ASSIGN_OR_RETURN(auto out, Run({input, key, cipher, vector, more, true}));
  return std::string(vector) + out;
}

Result<std::string> Decrypt(Text input, Text key, Text mode, Text padding, Text more) {
  SLUICE_ASSIGN_OR_RETURN(auto cipher, CipherOf(mode, padding));
  if (input.size() < cipher.vector_bytes) return Failed("aes_decrypt");
  const Text vector = input.substr(0, cipher.vector_bytes);
  return Run({input.substr(cipher.vector_bytes), key, cipher, vector, more, false});
}

Result<BoundPtr> BindAes(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  const bool encrypt = name == "aes_encrypt";
  const size_t count = encrypt ? 6 : 5;
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, count, span));
  auto text = [](const char* value) { return MakeLiteral(arrow::MakeScalar(value)); };
  const auto none = MakeLiteral(std::make_shared<arrow::BinaryScalar>(std::string()));
  if (args.size() == 2) args.push_back(text("GCM"));
  if (args.size() == 3) args.push_back(text("DEFAULT"));
  while (args.size() < count) args.push_back(none);
  for (size_t i = 0; i < count; ++i) {
    const bool is_text = i == 2 || i == 3;
    SLUICE_ASSIGN_OR_RETURN(args[i],
                            binder.Coerce(args[i], is_text ? arrow::utf8() : arrow::binary(), name,
                                          static_cast<int>(i) + 1));
  }
  if (encrypt && args[4]->IsLiteral() && args[4] == none && args[2]->IsLiteral() &&
      LowerAscii(args[2]->literal->ToString()) != "ecb")
    return binder.Unsupported(span, "aes_encrypt with a random initialization vector");
  const bool nullable = AnyNullable(args) || name == "try_aes_decrypt";
  return MakeCall(name, std::move(args), arrow::binary(), nullable, span);
}

}  // namespace

void RegisterCryptoFunctions(FunctionRegistry* registry) {
  for (const char* name : {"aes_encrypt", "aes_decrypt", "try_aes_decrypt"})
    registry->Special(name, BindAes);
  registry->Compute("aes_encrypt", Map<Text, Text, Text, Text, Text, Text, Text>(Encrypt), true);
  registry->Compute("aes_decrypt", Map<Text, Text, Text, Text, Text, Text>(Decrypt), true);
  registry->Compute("try_aes_decrypt", Map<Text, Text, Text, Text, Text, Text>(
                                           [](Text input, Text key, Text mode, Text padding,
                                              Text more) -> std::optional<std::string> {
                                             auto out = Decrypt(input, key, mode, padding, more);
                                             if (!out.ok()) return std::nullopt;
                                             return *std::move(out);
                                           }));
}

}  // namespace sluice::sql
