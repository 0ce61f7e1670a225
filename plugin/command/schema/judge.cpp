// SPDX-License-Identifier: Apache-2.0
// The one file in C++: valijson and RapidJSON behind the C functions of judge.h.
#define VALIJSON_USE_EXCEPTIONS 1
// The adapter wants to come before RapidJSON.
// clang-format off
#include <cstddef>
#include <stdexcept>
#include <string>

// What RapidJSON asserts. The adapter has one of the same name, which makes a string of the file's
// name each time, also where all is well: that was a third of the work. This one fits better.
template <typename T, std::size_t SIZE>
inline T rapidjson_assert(T holds, const char (&file)[SIZE], int line)
{
    if (!holds)
        throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": assertion failed");
    return holds;
}

#include <valijson/adapters/rapidjson_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <rapidjson/encodedstream.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <set>
#include <vector>
// clang-format on

#include "command/schema/judge.h"

#include "command/schema/reason.hpp"

// valijson takes every integer for an int64_t, so that the upper half of the unsigned numbers would
// be negative, and compares with bounds as double. Both are put right where it asks for a number.
namespace valijson::adapters
{

static bool is_beyond_int64(const rapidjson::Value &value)
{
    return value.IsUint64() && !value.IsInt64();
}

// A whole number is an integer in draft 7, however it is written.
template <> inline bool GenericRapidJsonValue<rapidjson::Value>::isInteger() const
{
    return m_value.IsInt64() || m_value.IsUint64() ||
           (m_value.IsDouble() && m_value.GetDouble() == std::floor(m_value.GetDouble()));
}

template <> inline bool GenericRapidJsonValue<rapidjson::Value>::isDouble() const
{
    return m_value.IsDouble() || is_beyond_int64(m_value);
}

// As a double, 2^63 - 1 (the greatest bound of a signed number) is 2^63. What is really beyond it
// becomes the double after that, so that it is beyond it as a double, too.
template <> inline bool GenericRapidJsonValue<rapidjson::Value>::getDouble(double &result) const
{
    const double above = std::nextafter(9223372036854775808.0, std::numeric_limits<double>::max());

    if (!isDouble())
        return false;
    result = m_value.GetDouble();
    if (is_beyond_int64(m_value) && result < above)
        result = above;
    return true;
}

} // namespace valijson::adapters

namespace
{

using Adapter = valijson::adapters::RapidJsonAdapter;

constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag |
                            rapidjson::kParseFullPrecisionFlag;

// Hands a parser's events on to a document, and holds them against the rules for lines on the way.
class Filter
{
  public:
    Filter(rapidjson::Document &document) : m_document(document)
    {
    }

    const char *refusal() const
    {
        return m_refusal;
    }

    bool Null()
    {
        return m_document.Null();
    }
    bool Bool(bool value)
    {
        return m_document.Bool(value);
    }
    bool Int(int value)
    {
        return m_document.Int(value);
    }
    bool Uint(unsigned value)
    {
        return m_document.Uint(value);
    }
    bool Int64(int64_t value)
    {
        return m_document.Int64(value);
    }
    bool Uint64(uint64_t value)
    {
        return m_document.Uint64(value);
    }
    bool Double(double value)
    {
        return m_document.Double(value);
    }

    // Every number comes as it is written.
    bool RawNumber(const char *text, SizeType size, bool)
    {
        std::string number(text, size);
        char *end;

        if (number.find_first_of(".eE") != std::string::npos)
            return refuse("a number with a fraction or an exponent: all of Tracee's are integers");
        errno = 0;
        if (number[0] == '-') {
            int64_t value = std::strtoll(number.c_str(), &end, 10);
            return errno ? refuse("a number below -2^63") : m_document.Int64(value);
        }
        uint64_t value = std::strtoull(number.c_str(), &end, 10);
        return errno ? refuse("a number above 2^64 - 1") : m_document.Uint64(value);
    }

    bool String(const char *text, SizeType size, bool)
    {
        return is_text(text, size) && m_document.String(text, size, true);
    }

    bool StartObject()
    {
        return open() && m_document.StartObject();
    }

    bool Key(const char *text, SizeType size, bool)
    {
        if (!is_text(text, size))
            return false;
        if (!m_keys.back().emplace(text, size).second)
            return refuse("a key that is there twice");
        return m_document.Key(text, size, true);
    }

    bool EndObject(SizeType count)
    {
        m_keys.pop_back();
        return m_document.EndObject(count);
    }

    bool StartArray()
    {
        return open() && m_document.StartArray();
    }

    bool EndArray(SizeType count)
    {
        m_keys.pop_back();
        return m_document.EndArray(count);
    }

  private:
    bool refuse(const char *why)
    {
        m_refusal = why;
        return false;
    }

    bool open()
    {
        if (m_keys.size() == MRL_DEPTH_MAX)
            return refuse("more than 32 levels");
        m_keys.emplace_back();
        return true;
    }

    bool is_text(const char *text, SizeType size)
    {
        if (std::memchr(text, 0, size))
            return refuse("U+0000 in a string");
        for (SizeType i = 0; i + 1 < size; i++)
            if (text[i] == '\xed' && (text[i + 1] & '\x20'))
                return refuse("half of a surrogate pair in a string");
        return true;
    }

    rapidjson::Document &m_document;
    std::vector<std::set<std::string>> m_keys; // by level; an array has none
    const char *m_refusal = nullptr;
};

// What rapidjson::Document::Populate() calls.
struct Generator {
    const char *text;
    size_t size;
    rapidjson::ParseResult result;
    const char *refusal;

    bool operator()(rapidjson::Document &document)
    {
        rapidjson::MemoryStream bytes(text, size);
        rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
        rapidjson::Reader reader;
        Filter filter(document);

        result = reader.Parse<kFlags | rapidjson::kParseNumbersAsStringsFlag>(stream, filter);
        refusal = filter.refusal();
        return !result.IsError();
    }
};

int set_fault(mrl_fault *fault, const std::string &pointer, const std::string &reason)
{
    std::snprintf(fault->pointer, sizeof(fault->pointer), "%s", pointer.c_str());
    std::snprintf(fault->reason, sizeof(fault->reason), "%s", reason.c_str());
    return 0;
}

int set_parse_fault(mrl_fault *fault, const rapidjson::ParseResult &result, const char *refusal)
{
    std::string reason = refusal ? refusal : rapidjson::GetParseError_En(result.Code());

    if (!refusal)
        reason = "not JSON: " + reason;
    return set_fault(fault, "", reason + " (byte " + std::to_string(result.Offset() + 1) + ")");
}

// Returns whether the text was parsed; otherwise the fault says why.
bool parse(const char *text,
           size_t size,
           mrl_judge_rules rules,
           rapidjson::Document &document,
           mrl_fault *fault)
{
    if (std::memchr(text, 0, size)) { // RapidJSON takes it for the end
        set_fault(fault, "", "not JSON: a NUL byte");
        return false;
    }
    if (size >= 3 && !std::memcmp(text, "\xef\xbb\xbf", 3)) {
        set_fault(fault, "", "not JSON: a byte order mark");
        return false;
    }
    if (rules == MRL_RULES_JSON) {
        document.Parse<kFlags>(text, size);
        if (document.HasParseError())
            set_parse_fault(fault, document, nullptr);
        return !document.HasParseError();
    }
    Generator generator = { text, size, {}, nullptr };
    document.Populate(generator);
    if (generator.result.IsError())
        set_parse_fault(fault, generator.result, generator.refusal);
    return !generator.result.IsError();
}

// "<root>", "[args]", "[0]" as "/args/0".
std::string pointer_of(const std::vector<std::string> &context)
{
    std::string pointer;

    for (size_t i = 1; i < context.size(); i++) {
        pointer += '/';
        for (size_t j = 1; j + 1 < context[i].size(); j++) {
            if (context[i][j] == '~')
                pointer += "~0";
            else if (context[i][j] == '/')
                pointer += "~1";
            else
                pointer += context[i][j];
        }
    }
    return pointer;
}

// The error that lies deepest, and the first of those: what is around it only repeats it.
void set_deepest(mrl_fault *fault,
                 const Value &schema,
                 const Value &text,
                 const valijson::ValidationResults &results)
{
    const valijson::ValidationResults::Error *deepest = nullptr;
    const Value *value, *words;

    for (const auto &error : results)
        if (!deepest || error.context.size() > deepest->context.size())
            deepest = &error;
    if (!deepest) {
        set_fault(fault, "", "not valid");
        return;
    }
    value = value_at(&text, deepest->context);
    words = deepest->description.find("enum") == std::string::npos
                ? nullptr
                : words_at(schema, text, deepest->context);
    set_fault(fault, pointer_of(deepest->context),
              value && words && words->IsArray() ? say_words(*value, *words)
                                                 : with_integer(deepest->description));
}

} // namespace

struct mrl_judge {
    rapidjson::Document document; // of the schema
    valijson::Schema schema;
    valijson::Validator validator;
};

int mrl_judge__new(const char *text, size_t size, mrl_error *error, mrl_judge **ret_judge)
{
    mrl_judge *judge = nullptr;

    try {
        mrl_fault fault;

        judge = new mrl_judge;
        if (!parse(text, size, MRL_RULES_JSON, judge->document, &fault)) {
            delete judge;
            return mrl_error__set(error, -EINVAL, "the schema is %s", fault.reason);
        }
        valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
        parser.populateSchema(Adapter(judge->document), judge->schema);
        *ret_judge = judge;
        return 0;
    } catch (const std::bad_alloc &) {
        delete judge;
        return mrl_error__set(error, -ENOMEM, "out of memory");
    } catch (const std::exception &exception) {
        delete judge;
        return mrl_error__set(error, -EINVAL, "not a schema: %s", exception.what());
    }
}

int mrl_judge__check(
    mrl_judge *judge, const char *text, size_t size, mrl_judge_rules rules, mrl_fault *ret_fault)
{
    try {
        rapidjson::Document document;
        valijson::ValidationResults results;

        if (!parse(text, size, rules, document, ret_fault))
            return 0;
        Adapter target(document);
        if (judge->validator.validate(judge->schema, target, nullptr))
            return 1;
        judge->validator.validate(judge->schema, target, &results);
        set_deepest(ret_fault, judge->document, document, results);
        return 0;
    } catch (const std::bad_alloc &) {
        return -ENOMEM;
    } catch (const std::exception &exception) {
        set_fault(ret_fault, "", exception.what());
        return -EINVAL;
    }
}

void mrl_judge__free(mrl_judge *judge)
{
    delete judge;
}
