// Runs a fuzz target without libFuzzer: every seed file as it is, then a fixed number of random
// mutations of them.
//
// Usage: <name>_smoke_test CORPUS_FOLDER. The random seed is printed first; NIGHTJAR_SEED repeats a
// run:
//   bazel test --test_env=NIGHTJAR_SEED=123 //tests/fuzz:<name>_smoke_test
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutations = 20'000;
constexpr int kEditsMax = 6;                 // edits in one mutation
constexpr size_t kInputBytesMax = 64 << 10;  // longer mutations are cut

std::vector<std::string> ReadCorpus(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());  // so that a seed means the same everywhere
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

class Mutator {
 public:
  Mutator(const std::vector<std::string>& corpus, uint64_t seed) : corpus_(corpus), random_(seed) {}

  std::string Next() {
    std::string text = corpus_[Below(corpus_.size())];
    for (size_t edits = 1 + Below(kEditsMax); edits > 0; --edits) Edit(&text);
    text.resize(std::min(text.size(), kInputBytesMax));
    return text;
  }

 private:
  size_t Below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  // A piece of at most 32 bytes.
  std::string Piece(const std::string& text) {
    return text.empty() ? "" : text.substr(Below(text.size()), 1 + Below(32));
  }

  void Edit(std::string* text) {
    const size_t at = Below(text->size() + 1);
    switch (Below(6)) {
      case 0:
        if (at < text->size()) (*text)[at] ^= static_cast<char>(1 << Below(8));
        break;
      case 1:
        if (at < text->size()) (*text)[at] = static_cast<char>(random_());
        break;
      case 2:
        text->insert(at, 1 + Below(8), static_cast<char>(random_()));
        break;
      case 3:
        text->erase(at, 1 + Below(32));
        break;
      case 4:
        text->insert(at, Piece(*text));
        break;
      default:
        text->insert(at, Piece(corpus_[Below(corpus_.size())]));
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_;
};

uint64_t Seed() {
  if (const char* given = std::getenv("NIGHTJAR_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

void RunOne(const std::string& text) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 64;
  }
  const std::vector<std::string> corpus = ReadCorpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "no seed files in %s\n", argv[1]);
    return 1;
  }
  const uint64_t seed = Seed();
  std::printf("%zu seed files, NIGHTJAR_SEED=%llu\n", corpus.size(),
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);  // a crash must not swallow it
  for (const std::string& text : corpus) RunOne(text);
  Mutator mutator(corpus, seed);
  for (int i = 0; i < kMutations; ++i) RunOne(mutator.Next());
  return 0;
}
