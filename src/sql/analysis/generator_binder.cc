// Generators: a call that makes rows becomes an expression that makes an array, and a plan node
// over it.
#include <fmt/format.h>

#include <set>

#include "sql/analysis/query_binder.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;

class GeneratorBinder {
 public:
  GeneratorBinder(ExpressionBinder* binder, std::string name, Span span)
      : functions_(binder->functions()), name_(std::move(name)), span_(span) {}

  Result<Generator> Bind(Args args) {
    std::string base = name_;
    made_.outer = base.ends_with("_outer");
    if (made_.outer) base.resize(base.size() - 6);
    if (base == "stack") return Stack(std::move(args));
    if (base == "json_tuple") return JsonTuple(std::move(args));
    if (base == "range") return Range(std::move(args));
    SLUICE_RETURN_NOT_OK(functions_.CheckCount(name_, args.size(), 1, 1, span_));
    if (base == "inline") return Inline(args[0]);
    if (base == "variant_explode") return VariantEntries(args[0]);
    made_.positions = base == "posexplode";
    if (made_.positions) made_.columns.push_back(arrow::field("pos", arrow::int32(), made_.outer));
    return Explode(args[0]);
  }

 private:
  Result<Generator> Explode(const BoundPtr& collection) {
    if (collection->type->id() == arrow::Type::MAP) {
      SLUICE_ASSIGN_OR_RETURN(made_.list, functions_.Bind("map_entries", {collection}, span_));
      return Spread();
    }
    if (collection->type->id() != arrow::Type::LIST)
      return functions_.WrongType(name_, 1, "ARRAY or MAP", collection);
    made_.list = collection;
    made_.columns.push_back(arrow::field("col", collection->type->field(0)->type()));
    return std::move(made_);
  }

  Result<Generator> Inline(const BoundPtr& structs) {
    if (structs->type->id() != arrow::Type::LIST ||
        structs->type->field(0)->type()->id() != arrow::Type::STRUCT)
      return functions_.WrongType(name_, 1, "ARRAY OF STRUCT", structs);
    made_.list = structs;
    return Spread();
  }

  Result<Generator> VariantEntries(const BoundPtr& variant) {
    if (!IsVariantType(*variant->type)) return functions_.WrongType(name_, 1, "VARIANT", variant);
    TypePtr entry = arrow::struct_({arrow::field("pos", arrow::int32(), false),
                                    arrow::field("key", arrow::utf8()),
                                    arrow::field("value", VariantType(), false)});
    made_.list = MakeCall("variant_entries", {variant}, SparkArray(entry), false, span_);
    return Spread();
  }

  // The fields of the list's structs become columns.
  Result<Generator> Spread() {
    made_.spread = true;
    for (const auto& field : made_.list->type->field(0)->type()->fields())
      made_.columns.push_back(field->WithNullable(field->nullable() || made_.outer));
    return std::move(made_);
  }

  BoundPtr Struct(Args values, const char* prefix) {
    arrow::FieldVector fields;
    for (const BoundPtr& value : values)
      fields.push_back(arrow::field(fmt::format("{}{}", prefix, fields.size()), value->type));
    return MakeCall("struct", std::move(values), arrow::struct_(fields), false, span_);
  }

  // stack(n, v1, v2, ...): n rows, filled one after another, the last with NULLs.
  Result<Generator> Stack(Args args) {
    SLUICE_RETURN_NOT_OK(functions_.CheckCount(name_, args.size(), 2, SIZE_MAX, span_));
    if (!args[0]->IsLiteral() || args[0]->type->id() != arrow::Type::INT32 ||
        !args[0]->literal->is_valid)
      return functions_.Error(args[0]->span, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                              "the number of rows of stack must be a constant INT");
    const auto rows = static_cast<const arrow::Int32Scalar&>(*args[0]->literal).value;
    if (rows < 1 || rows > 10'000)
      return functions_.Error(args[0]->span, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                              "the number of rows of stack must be positive");
    const auto count = static_cast<size_t>(rows);
    const size_t width = (args.size() - 1 + count - 1) / count;
    std::vector<Args> columns(width);
    for (size_t i = 0; i < count * width; ++i) {
      columns[i % width].push_back(
          i + 1 < args.size() ? args[i + 1] : MakeLiteral(arrow::MakeNullScalar(arrow::null())));
    }
    for (Args& column : columns) SLUICE_RETURN_NOT_OK(functions_.Unify(name_, &column, 0, span_));
    Args structs;
    for (size_t row = 0; row < count; ++row) {
      Args values;
      for (const Args& column : columns) values.push_back(column[row]);
      structs.push_back(Struct(std::move(values), "col"));
    }
    TypePtr type = SparkArray(structs[0]->type);
    made_.list = MakeCall("array", std::move(structs), std::move(type), false, span_);
    return Spread();
  }

  Result<Generator> JsonTuple(Args args) {
    SLUICE_RETURN_NOT_OK(functions_.CheckCount(name_, args.size(), 2, SIZE_MAX, span_));
    for (size_t i = 0; i < args.size(); ++i) {
      SLUICE_ASSIGN_OR_RETURN(
          args[i], functions_.Coerce(args[i], arrow::utf8(), name_, static_cast<int>(i) + 1));
    }
    Args values;
    for (size_t i = 1; i < args.size(); ++i)
      values.push_back(
          MakeCall("json_tuple_field", {args[0], args[i]}, arrow::utf8(), true, span_));
    BoundPtr row = Struct(std::move(values), "c");
    TypePtr type = SparkArray(row->type);
    made_.list = MakeCall("array", {row}, std::move(type), false, span_);
    return Spread();
  }

  // range([start,] end[, step]).
  Result<Generator> Range(Args args) {
    SLUICE_RETURN_NOT_OK(functions_.CheckCount(name_, args.size(), 1, 3, span_));
    for (size_t i = 0; i < args.size(); ++i) {
      SLUICE_ASSIGN_OR_RETURN(
          args[i], functions_.Coerce(args[i], arrow::int64(), name_, static_cast<int>(i) + 1));
    }
    if (args.size() == 1) args.insert(args.begin(), MakeLiteral(arrow::MakeScalar(int64_t{0})));
    if (args.size() == 2) args.push_back(MakeLiteral(arrow::MakeScalar(int64_t{1})));
    made_.list = MakeCall("range_list", std::move(args), SparkArray(arrow::int64()), false, span_);
    made_.columns.push_back(arrow::field("id", arrow::int64(), false));
    return std::move(made_);
  }

  FunctionBinder& functions_;
  const std::string name_;
  const Span span_;
  Generator made_;
};

}  // namespace

bool IsGenerator(const std::string& name) {
  static const std::set<std::string> names = {
      "explode", "explode_outer", "posexplode", "posexplode_outer",
      "inline",  "inline_outer",  "stack",      "json_tuple"};
  return names.contains(name);
}

bool IsTableGenerator(const std::string& name) {
  return name == "range" || name.starts_with("variant_explode") || IsGenerator(name);
}

Result<Generator> BindGenerator(ExpressionBinder* binder, const std::string& name,
                                const std::vector<Argument>& arguments, Span span) {
  Args args;
  for (const Argument& argument : arguments) {
    if (argument.name.has_value()) {
      const std::string given = LowerAscii(argument.name->text);
      if (arguments.size() > 1 || (given != "collection" && given != "input"))
        return binder->functions().Unsupported(span, "named arguments of " + name);
    }
    SLUICE_ASSIGN_OR_RETURN(auto bound, binder->Bind(*argument.value));
    if (ExpressionBinder::HasAggregate(*bound) || ExpressionBinder::HasWindow(*bound))
      return binder->functions().Unsupported(span, name + " of an aggregate");
    if (HasSubquery(*bound)) return binder->functions().Unsupported(span, name + " of a subquery");
    args.push_back(std::move(bound));
  }
  return GeneratorBinder(binder, name, span).Bind(std::move(args));
}

Result<std::vector<std::string>> GeneratorNames(const FunctionBinder& functions,
                                                const Generator& generator,
                                                const std::vector<Name>& aliases, Span span) {
  std::vector<std::string> names;
  if (!aliases.empty() && aliases.size() != generator.columns.size())
    return functions.Error(
        span, "NUM_TABLE_VALUE_ALIASES_MISMATCH",
        fmt::format("the number of aliases {} does not match the number of columns {} that are "
                    "generated",
                    aliases.size(), generator.columns.size()));
  for (size_t i = 0; i < generator.columns.size(); ++i)
    names.push_back(aliases.empty() ? generator.columns[i]->name() : aliases[i].text);
  return names;
}

PlanPtr MakeGenerate(PlanPtr input, const Generator& generator,
                     const std::vector<std::string>& names) {
  auto made = std::make_shared<GenerateNode>();
  arrow::FieldVector fields = input->schema->fields();
  for (size_t i = 0; i < generator.columns.size(); ++i)
    fields.push_back(generator.columns[i]->WithName(names[i]));
  made->schema = arrow::schema(std::move(fields));
  made->is_streaming = input->is_streaming;
  made->inputs = {std::move(input)};
  made->list = generator.list;
  made->spread = generator.spread;
  made->positions = generator.positions;
  made->outer = generator.outer;
  return made;
}

Result<PlanPtr> AddGenerator(PlanPtr plan, ExpressionBinder* binder, const FunctionCall& call,
                             const SelectItem& item, bool* generated) {
  *generated = true;
  SLUICE_ASSIGN_OR_RETURN(auto generator, BindGenerator(binder, LowerAscii(call.name.last()),
                                                        call.arguments, item.span));
  SLUICE_ASSIGN_OR_RETURN(auto names,
                          GeneratorNames(binder->functions(), generator, item.aliases, item.span));
  return MakeGenerate(std::move(plan), generator, names);
}

Result<BoundRelation> QueryBinder::AddGenerator(BoundRelation input, const std::string& name,
                                                const std::vector<Argument>& arguments, bool outer,
                                                const std::vector<Name>& aliases,
                                                const std::string& qualifier, Span span) {
  ExpressionBinder binder(source_, options_, input.scope, nullptr);
  binder.SetOuter(outer_);
  SLUICE_ASSIGN_OR_RETURN(auto generator, BindGenerator(&binder, name, arguments, span));
  if (outer && !generator.outer) {
    generator.outer = true;
    for (auto& column : generator.columns) column = column->WithNullable(true);
  }
  SLUICE_ASSIGN_OR_RETURN(auto names, GeneratorNames(binder.functions(), generator, aliases, span));
  const int base = input.plan->schema->num_fields();
  input.plan = MakeGenerate(std::move(input.plan), generator, names);
  for (size_t i = 0; i < names.size(); ++i) {
    const int index = base + static_cast<int>(i);
    input.scope.columns.push_back({{LowerAscii(qualifier)},
                                   LowerAscii(names[i]),
                                   input.plan->schema->field(index),
                                   index,
                                   true});
  }
  return input;
}

Result<BoundRelation> QueryBinder::BindLateralView(const LateralView& view, Span span) {
  SLUICE_ASSIGN_OR_RETURN(auto input, BindRelation(*view.input));
  const std::string name = LowerAscii(view.generator.name.last());
  if (!IsGenerator(name)) return Unsupported(span, "LATERAL VIEW of " + name);
  return AddGenerator(std::move(input), name, view.generator.arguments, view.outer, view.columns,
                      view.table.text, span);
}

Result<BoundRelation> QueryBinder::BindGeneratorTable(const TableFunction& function, Span span) {
  auto one_row = std::make_shared<ValuesNode>();
  one_row->schema = arrow::schema({});
  one_row->rows.emplace_back();
  const std::string name = LowerAscii(function.name.last());
  return AddGenerator({std::move(one_row), Scope()}, name, function.arguments, false, {}, name,
                      span);
}

// t, LATERAL explode(t.items) AS x(a): inner and cross joins, and LEFT JOIN .. ON TRUE.
Result<std::optional<BoundRelation>> QueryBinder::BindLateralJoin(const Join& join, Span span) {
  const auto* function = join.right->As<TableFunction>();
  if (function == nullptr || !function->lateral) return std::optional<BoundRelation>();
  const std::string name = LowerAscii(function->name.last());
  const bool outer = join.type == JoinType::kLeft;
  const bool inner = join.type == JoinType::kInner || join.type == JoinType::kCross;
  const auto* on = join.on ? join.on->As<Literal>() : nullptr;
  const bool always =
      !join.on || (on != nullptr && on->kind == LiteralKind::kBoolean && on->boolean);
  if (!IsTableGenerator(name) || (!outer && !inner) || (outer && !always) || join.natural ||
      !join.using_columns.empty() || join.right->sample || join.right->watermark)
    return Unsupported(span, "this LATERAL join");
  SLUICE_ASSIGN_OR_RETURN(auto left, BindRelation(*join.left));
  const auto& alias = join.right->alias;
  SLUICE_ASSIGN_OR_RETURN(auto bound,
                          AddGenerator(std::move(left), name, function->arguments, outer,
                                       alias ? alias->columns : std::vector<Name>(),
                                       alias ? alias->name.text : name, span));
  if (!always) {
    ExpressionBinder binder(source_, options_, bound.scope, nullptr);
    SLUICE_ASSIGN_OR_RETURN(auto condition, binder.Bind(*join.on));
    SLUICE_ASSIGN_OR_RETURN(condition,
                            binder.functions().Coerce(condition, arrow::boolean(), "ON", 1));
    bound.plan = MakeFilter(std::move(bound.plan), std::move(condition));
  }
  return std::optional<BoundRelation>(std::move(bound));
}

}  // namespace sluice::sql
