#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <regex>
#include <string_view>

#include "sources/kafka/kafka_client_properties_internal.h"

namespace sluice::sources {

namespace {

using Properties = std::map<std::string, std::string>;

struct Refused {
  std::string_view name;
  std::string_view hint;
};

// What Spark refuses too: the source decides these itself.
constexpr std::array<Refused, 8> kRefused = {{
    {"auto.offset.reset", "use startingOffsets"},
    {"key.deserializer", "keys are read as BINARY; cast or decode them in SQL"},
    {"value.deserializer", "values are read as BINARY; cast or decode them in SQL"},
    {"key.serializer", "this is a source"},
    {"value.serializer", "this is a source"},
    {"enable.auto.commit", "positions are committed with the table"},
    {"interceptor.classes", "Java classes cannot be loaded"},
    {"enable.auto.offset.store", "positions are committed with the table"},
}};

constexpr std::array<Refused, 8> kUnsupported = {{
    {"sasl.login.callback.handler.class", "Java classes cannot be loaded"},
    {"sasl.client.callback.handler.class", "Java classes cannot be loaded"},
    {"sasl.login.class", "Java classes cannot be loaded"},
    {"ssl.engine.factory.class", "Java classes cannot be loaded"},
    {"ssl.trustmanager.algorithm", "use kafka.ssl.ca.location"},
    {"ssl.keymanager.algorithm", "use kafka.ssl.certificate.location and kafka.ssl.key.location"},
    {"ssl.provider", "the TLS library of the machine is used"},
    {"sasl.kerberos.ticket.renew.jitter", "use kafka.sasl.kerberos.kinit.cmd"},
}};

struct Renamed {
  std::string_view java;
  std::string_view ours;
};

constexpr std::array<Renamed, 9> kRenamed = {{
    {"sasl.mechanism", "sasl.mechanisms"},
    {"request.timeout.ms", "socket.timeout.ms"},
    {"fetch.max.wait.ms", "fetch.wait.max.ms"},
    {"max.partition.fetch.bytes", "fetch.message.max.bytes"},
    {"metadata.max.age.ms", "topic.metadata.refresh.interval.ms"},
    {"receive.buffer.bytes", "socket.receive.buffer.bytes"},
    {"send.buffer.bytes", "socket.send.buffer.bytes"},
    {"socket.connection.setup.timeout.max.ms", "socket.connection.setup.timeout.ms"},
    {"ssl.protocol", ""},
}};

// Properties of the Java client that have no meaning here: accepted, without effect.
constexpr std::array<std::string_view, 8> kWithoutEffect = {
    "max.poll.records",        "default.api.timeout.ms",          "ssl.enabled.protocols",
    "exclude.internal.topics", "allow.auto.create.topics",        "metric.reporters",
    "metrics.num.samples",     "ssl.secure.random.implementation"};

Status Unsupported(const std::string& name, std::string hint) {
  return MakeError("KAFKA_UNSUPPORTED_OPTION", "option is not supported: kafka." + name,
                   std::move(hint));
}

std::optional<std::string> Take(Properties* java, const std::string& name) {
  auto node = java->extract(name);
  return node.empty() ? std::nullopt : std::optional<std::string>(std::move(node.mapped()));
}

// Moves a property to its name here, if it is there.
void Rename(Properties* java, const std::string& name, Properties* out,
            const std::string& new_name) {
  if (auto value = Take(java, name)) (*out)[new_name] = std::move(*value);
}

std::string TakeStoreType(Properties* java, const std::string& name) {
  std::string type = Take(java, name).value_or("");
  for (char& c : type) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return type;
}

// Value of key="..." in a JAAS line; \" and \\ are unescaped.
bool JaasValue(const std::string& jaas, const std::string& key, std::string* value) {
  const std::regex form("\\b" + key + "\\s*=\\s*(?:\"((?:[^\"\\\\]|\\\\.)*)\"|'([^']*)')");
  std::smatch match;
  if (!std::regex_search(jaas, match, form)) return false;
  const std::string raw = match[1].matched ? match[1].str() : match[2].str();
  value->clear();
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\\' && i + 1 < raw.size()) ++i;
    value->push_back(raw[i]);
  }
  return true;
}

// kafka.sasl.jaas.config='...PlainLoginModule required username="u" password="p";'
Status TranslateJaas(Properties* java, Properties* out) {
  const std::optional<std::string> config = Take(java, "sasl.jaas.config");
  if (!config) return Status::OK();
  const std::string& jaas = *config;
  const bool plain = jaas.find("PlainLoginModule") != std::string::npos;
  const bool scram = jaas.find("ScramLoginModule") != std::string::npos;
  if (!plain && !scram) {
    return Unsupported("sasl.jaas.config",
                       "PlainLoginModule and ScramLoginModule with username and password are "
                       "understood; for others set "
                       "the client's own kafka.sasl.* properties");
  }
  std::string username;
  std::string password;
  if (!JaasValue(jaas, "username", &username) || !JaasValue(jaas, "password", &password)) {
    return MakeError(
        "KAFKA_INVALID_OPTION", "no username and password found in option kafka.sasl.jaas.config",
        "write it as ...LoginModule required username=\"USER\" password=\"PASSWORD\";");
  }
  (*out)["sasl.username"] = username;
  (*out)["sasl.password"] = password;
  if (java->count("sasl.mechanism") == 0 && java->count("sasl.mechanisms") == 0) {
    if (scram) {
      return MakeError("KAFKA_INVALID_OPTION", "option is missing: kafka.sasl.mechanism",
                       "set it to SCRAM-SHA-256 or SCRAM-SHA-512");
    }
    (*out)["sasl.mechanisms"] = "PLAIN";
  }
  return Status::OK();
}

// Trust and key stores: PEM and PKCS#12 can be read, JKS (Java's default type) cannot.
Status TranslateStores(Properties* java, Properties* out) {
  const std::string trust_type = TakeStoreType(java, "ssl.truststore.type");
  if (java->count("ssl.truststore.location") > 0 && trust_type != "PEM") {
    return Unsupported("ssl.truststore.location",
                       "a Java key store cannot be read: export the certificates as PEM (keytool "
                       "-exportcert -rfc) and "
                       "set kafka.ssl.ca.location, or kafka.ssl.truststore.type to PEM");
  }
  Rename(java, "ssl.truststore.location", out, "ssl.ca.location");
  Rename(java, "ssl.truststore.certificates", out, "ssl.ca.pem");
  java->erase("ssl.truststore.password");

  const std::string key_type = TakeStoreType(java, "ssl.keystore.type");
  if (java->count("ssl.keystore.location") > 0 && key_type == "PEM") {
    (*out)["ssl.certificate.location"] = java->at("ssl.keystore.location");
    Rename(java, "ssl.keystore.location", out, "ssl.key.location");
  } else if (java->count("ssl.keystore.location") > 0 && key_type != "PKCS12") {
    return Unsupported("ssl.keystore.location",
                       "a Java key store cannot be read: convert it to PKCS12 (keytool "
                       "-importkeystore -deststoretype "
                       "PKCS12) and set kafka.ssl.keystore.type to PKCS12");
  }
  Rename(java, "ssl.keystore.certificate.chain", out, "ssl.certificate.pem");
  Rename(java, "ssl.keystore.key", out, "ssl.key.pem");
  return Status::OK();
}

}  // namespace

Result<Properties> TranslateClientProperties(const Properties& java_properties) {
  Properties java = java_properties;
  Properties out;
  for (const Refused& refused : kRefused) {
    if (java.count(std::string(refused.name)) > 0) {
      return MakeError("KAFKA_INVALID_OPTION",
                       "option cannot be set: kafka." + std::string(refused.name),
                       std::string(refused.hint));
    }
  }
  for (const Refused& unsupported : kUnsupported) {
    const std::string name(unsupported.name);
    if (java.count(name) > 0) return Unsupported(name, std::string(unsupported.hint));
  }
  SLUICE_RETURN_NOT_OK(TranslateJaas(&java, &out));
  SLUICE_RETURN_NOT_OK(TranslateStores(&java, &out));
  for (const std::string_view name : kWithoutEffect) java.erase(std::string(name));
  for (const auto& [name, value] : java) {
    const auto renamed = std::find_if(kRenamed.begin(), kRenamed.end(),
                                      [&](const Renamed& entry) { return entry.java == name; });
    const std::string ours = renamed == kRenamed.end() ? name : std::string(renamed->ours);
    if (!ours.empty()) out[ours] = value;
  }
  // Java writes "no host name check" as an empty value.
  const auto check = out.find("ssl.endpoint.identification.algorithm");
  if (check != out.end() && check->second.empty()) check->second = "none";
  return out;
}

}  // namespace sluice::sources
