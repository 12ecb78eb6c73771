#include "kafka_service.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace sluice::sources {

namespace {

constexpr int kTimeoutMillis = 60'000;

int FreePort() {
  const int handle = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(handle, reinterpret_cast<sockaddr*>(&address), size) != 0) return 0;
  getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size);
  close(handle);
  return ntohs(address.sin_port);
}

int Shell(const std::string& command) { return std::system(command.c_str()); }

void Expect(rd_kafka_resp_err_t error, const std::string& what) {
  EXPECT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR) << what << ": " << rd_kafka_err2str(error);
}

void Expect(rd_kafka_error_t* error, const std::string& what) {
  EXPECT_EQ(error, nullptr) << what << ": " << rd_kafka_error_string(error);
  if (error != nullptr) rd_kafka_error_destroy(error);
}

}  // namespace

KafkaService::KafkaService()
    : port_(FreePort()), controller_port_(FreePort()), login_port_(FreePort()) {
  std::string folder = testing::TempDir() + "sluice_kafka_XXXXXX";
  data_ = mkdtemp(folder.data());
}

KafkaService::~KafkaService() {
  Stop();
  Shell("rm -rf '" + data_ + "'");
}

bool KafkaService::Start() {
  return Shell("KAFKA_SASL_PORT=" + std::to_string(login_port_) +
               " " SLUICE_KAFKA_SCRIPTS "/start.sh " + std::to_string(port_) + " '" + data_ + "' " +
               std::to_string(controller_port_)) == 0;
}

void KafkaService::Stop() { Shell(SLUICE_KAFKA_SCRIPTS "/stop.sh '" + data_ + "'"); }

TestClient::TestClient(const std::string& address, const std::string& transactional_id)
    : address_(address) {
  char error[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", address.c_str(), error, sizeof(error));
  rd_kafka_conf_set(conf, "message.max.bytes", "120000000", error, sizeof(error));
  rd_kafka_conf_set(conf, "linger.ms", "1", error, sizeof(error));
  if (!transactional_id.empty()) {
    rd_kafka_conf_set(conf, "transactional.id", transactional_id.c_str(), error, sizeof(error));
  }
  client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
  if (!transactional_id.empty())
    Expect(rd_kafka_init_transactions(client_, kTimeoutMillis), "init transactions");
}

TestClient::~TestClient() { rd_kafka_destroy(client_); }

void TestClient::WaitForAdmin(rd_kafka_queue_t* queue, const std::string& what) {
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, kTimeoutMillis);
  ASSERT_NE(event, nullptr) << what;
  Expect(rd_kafka_event_error(event), what);
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
}

void TestClient::CreateTopic(const std::string& topic, int partitions,
                             const std::map<std::string, std::string>& config) {
  char error[512];
  rd_kafka_NewTopic_t* wanted =
      rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, error, sizeof(error));
  for (const auto& [name, value] : config)
    rd_kafka_NewTopic_set_config(wanted, name.c_str(), value.c_str());
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client_);
  rd_kafka_CreateTopics(client_, &wanted, 1, nullptr, queue);
  WaitForAdmin(queue, "create " + topic);
  rd_kafka_NewTopic_destroy(wanted);
}

void TestClient::DeleteTopic(const std::string& topic) {
  rd_kafka_DeleteTopic_t* wanted = rd_kafka_DeleteTopic_new(topic.c_str());
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client_);
  rd_kafka_DeleteTopics(client_, &wanted, 1, nullptr, queue);
  WaitForAdmin(queue, "delete " + topic);
  rd_kafka_DeleteTopic_destroy(wanted);
}

void TestClient::AddPartitions(const std::string& topic, int total) {
  char error[512];
  rd_kafka_NewPartitions_t* wanted =
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<size_t>(total), error, sizeof(error));
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client_);
  rd_kafka_CreatePartitions(client_, &wanted, 1, nullptr, queue);
  WaitForAdmin(queue, "add partitions to " + topic);
  rd_kafka_NewPartitions_destroy(wanted);
}

void TestClient::DeleteRecords(const std::string& topic, int32_t partition, int64_t before) {
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = before;
  rd_kafka_DeleteRecords_t* wanted = rd_kafka_DeleteRecords_new(list);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client_);
  rd_kafka_DeleteRecords(client_, &wanted, 1, nullptr, queue);
  WaitForAdmin(queue, "delete records of " + topic);
  rd_kafka_DeleteRecords_destroy(wanted);
  rd_kafka_topic_partition_list_destroy(list);
}

int64_t TestClient::CommittedOffset(const std::string& group, const std::string& topic,
                                    int32_t partition) {
  char error[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", address_.c_str(), error, sizeof(error));
  rd_kafka_conf_set(conf, "group.id", group.c_str(), error, sizeof(error));
  rd_kafka_t* reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic.c_str(), partition);
  Expect(rd_kafka_committed(reader, list, kTimeoutMillis), "committed offsets");
  const int64_t offset = list->elems[0].offset;
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_destroy(reader);
  return offset < 0 ? -1 : offset;
}

void TestClient::Produce(const std::string& topic, const TestRecord& record) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
  for (const auto& [name, value] : record.headers) {
    rd_kafka_header_add(headers, name.c_str(), -1, value ? value->data() : nullptr,
                        value ? static_cast<ssize_t>(value->size()) : 0);
  }
  std::string payload = record.value.value_or("");
  const std::string key = record.key.value_or("");
  const char* key_data = record.key ? key.data() : nullptr;
  char* value_data = record.value ? payload.data() : nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_producev(
      client_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(record.partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK),
      RD_KAFKA_V_KEY(key_data, key.size()), RD_KAFKA_V_VALUE(value_data, payload.size()),
      RD_KAFKA_V_TIMESTAMP(record.timestamp_millis), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
  Expect(error, "produce to " + topic);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);
}

void TestClient::ProduceMany(const std::string& topic, int partitions, int count,
                             const std::string& prefix) {
  for (int i = 0; i < count; ++i) {
    TestRecord record;
    record.partition = i % partitions;
    record.key = "k" + std::to_string(i);
    record.value = prefix + std::to_string(i);
    record.timestamp_millis += i * 1'000LL;
    Produce(topic, record);
  }
  Flush();
}

void TestClient::Flush() { Expect(rd_kafka_flush(client_, kTimeoutMillis), "flush"); }
void TestClient::Begin() { Expect(rd_kafka_begin_transaction(client_), "begin"); }
void TestClient::Commit() {
  Expect(rd_kafka_commit_transaction(client_, kTimeoutMillis), "commit");
}
void TestClient::Abort() { Expect(rd_kafka_abort_transaction(client_, kTimeoutMillis), "abort"); }

}  // namespace sluice::sources
