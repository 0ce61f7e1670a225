// SPDX-License-Identifier: Apache-2.0
// What valijson leaves unsaid of a value that does not fit: which it was, and which it may be.
#ifndef MRL_COMMAND_SCHEMA_REASON_HPP
#define MRL_COMMAND_SCHEMA_REASON_HPP

#include <cstdlib>
#include <cstring>
#include <rapidjson/document.h>
#include <string>
#include <vector>

namespace
{

using rapidjson::SizeType;
using Value = rapidjson::Value;
using Context = std::vector<std::string>; // "<root>", "[args]", "[0]"

// nullptr where there is none.
const Value *member(const Value *parent, const std::string &key)
{
    if (!parent || !parent->IsObject())
        return nullptr;
    auto found = parent->FindMember(key.c_str());
    return found == parent->MemberEnd() ? nullptr : &found->value;
}

const Value *element(const Value *parent, const std::string &index)
{
    size_t at = std::strtoul(index.c_str(), nullptr, 10);

    return parent && parent->IsArray() && at < parent->Size() ? &(*parent)[SizeType(at)] : nullptr;
}

std::string step_of(const Context &context, size_t i)
{
    return context[i].substr(1, context[i].size() - 2);
}

const Value *value_at(const Value *value, const Context &context)
{
    for (size_t i = 1; i < context.size(); i++) {
        const std::string step = step_of(context, i);
        const Value *inner = member(value, step);

        value = inner ? inner : element(value, step);
    }
    return value;
}

// What `part` of a schema says of the place.
const Value *schema_at(const Value *schema, const Value *part, const Context &context)
{
    for (size_t i = 1; i < context.size(); i++) {
        const std::string step = step_of(context, i);
        const Value *inner = member(member(part, "properties"), step), *shared;

        part = inner ? inner : element(member(part, "items"), step);
        shared = member(part, "$ref");
        if (shared && shared->IsString()) // "#/definitions/NAME"
            part =
                member(member(schema, "definitions"), std::strrchr(shared->GetString(), '/') + 1);
    }
    return part;
}

// The words that may stand at the place: of the whole, or of the event that the text is.
const Value *words_at(const Value &schema, const Value &text, const Context &context)
{
    const Value *words = member(schema_at(&schema, &schema, context), "enum");

    for (const char *key : { "eventName", "name" }) {
        const Value *name = member(&text, key);

        if (!words && name && name->IsString())
            words =
                member(schema_at(&schema, member(member(&schema, "definitions"), name->GetString()),
                                 context),
                       "enum");
    }
    return words;
}

std::string quoted(const Value &value)
{
    constexpr size_t most = 64;

    if (!value.IsString())
        return "it";
    std::string text(value.GetString(), value.GetStringLength());
    return "'" + (text.size() > most ? text.substr(0, most) + "..." : text) + "'";
}

std::string say_words(const Value &value, const Value &words)
{
    std::string said = quoted(value) + (words.Size() == 1 ? " is not " : " is none of ");

    for (SizeType i = 0; i < words.Size(); i++)
        said += (i ? ", " : "") + std::string(words[i].IsString() ? words[i].GetString() : "?");
    return said;
}

// "… to 9223372036854775808.000000" names a bound as double; the nearest integer is one too many.
std::string with_integer(const std::string &said)
{
    const std::string before = " to ";
    const size_t at = said.rfind(before), dot = said.rfind(".000000");

    if (at == said.npos || dot == said.npos || dot < at)
        return said;
    double bound = std::strtod(said.c_str() + at + before.size(), nullptr);
    std::string number = bound == 0x1p63   ? std::to_string(INT64_MAX)
                         : bound == 0x1p64 ? std::to_string(UINT64_MAX)
                         : bound < 0       ? std::to_string(int64_t(bound))
                                           : std::to_string(uint64_t(bound));
    return said.substr(0, at + before.size()) + number;
}

} // namespace

#endif
