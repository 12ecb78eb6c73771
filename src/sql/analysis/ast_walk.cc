#include "sql/analysis/ast_walk.h"

#include <type_traits>

#include "sql/print/print.h"

namespace sluice::sql {
namespace {

/// Calls `visit` on the child expressions of a node; for const and for mutable trees.
template <typename E, typename Visit>
class Children {
 public:
  explicit Children(const Visit& visit) : visit_(visit) {}

  template <typename Node>
  void operator()(Node& node) const {
    using T = std::remove_const_t<Node>;
    if constexpr (std::is_same_v<T, FunctionCall>) {
      Call(node);
    } else if constexpr (std::is_same_v<T, Trim>) {
      All(node.characters, node.source);
    } else if constexpr (std::is_same_v<T, Case>) {
      One(node.operand);
      for (auto& when : node.whens) {
        All(when.condition, when.result);
      }
      One(node.otherwise);
    } else if constexpr (std::is_same_v<T, Between>) {
      All(node.operand, node.low, node.high);
    } else if constexpr (std::is_same_v<T, InList>) {
      One(node.operand);
      Many(node.values);
    } else if constexpr (std::is_same_v<T, Like>) {
      One(node.operand);
      Many(node.patterns);
    } else if constexpr (std::is_same_v<T, Binary>) {
      All(node.left, node.right);
    } else if constexpr (std::is_same_v<T, Subscript>) {
      All(node.operand, node.index);
    } else if constexpr (std::is_same_v<T, Lambda>) {
      One(node.body);
    } else if constexpr (std::is_same_v<T, Row>) {
      Many(node.elements);
    } else if constexpr (requires { node.operand; }) {
      One(node.operand);  // Cast, InSubquery, Is, Unary, FieldAccess, VariantPath, Collate
    }
  }

 private:
  template <typename B>
  void One(B& box) const {
    if (box) {
      visit_(*box);
    }
  }
  template <typename... B>
  void All(B&... boxes) const {
    (One(boxes), ...);
  }
  template <typename V>
  void Many(V& exprs) const {
    for (auto& expr : exprs) {
      visit_(expr);
    }
  }
  template <typename V>
  void Orders(V& items) const {
    for (auto& item : items) {
      One(item.expr);
    }
  }
  template <typename C>
  void Call(C& call) const {
    for (auto& argument : call.arguments) {
      One(argument.value);
    }
    Orders(call.order_by);
    Orders(call.within_group);
    One(call.filter);
    if (call.over) {
      Many(call.over->partition_by);
      Orders(call.over->order_by);
      if (call.over->frame) {
        One(call.over->frame->start.offset);
        One(call.over->frame->end.offset);
      }
    }
  }

  const Visit& visit_;
};

void Lower(Name* name) {
  name->quoted = false;
  for (char& c : name->text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
}

void LowerAll(std::vector<Name>* names) {
  for (Name& name : *names) {
    Lower(&name);
  }
}

/// Brings the names of a tree into one form.
void Normalise(Expr& expr) {
  if (auto* column = expr.As<ColumnRef>()) {
    LowerAll(&column->parts);
  } else if (auto* call = expr.As<FunctionCall>()) {
    LowerAll(&call->name.parts);
    for (Argument& argument : call->arguments) {
      if (argument.name) {
        Lower(&*argument.name);
      }
    }
  } else if (auto* star = expr.As<Star>()) {
    LowerAll(&star->qualifier);
  } else if (auto* field = expr.As<FieldAccess>()) {
    Lower(&field->field);
  } else if (auto* lambda = expr.As<Lambda>()) {
    LowerAll(&lambda->parameters);
  } else if (auto* cast = expr.As<Cast>(); cast != nullptr && cast->form != Cast::Form::kTryCast) {
    cast->form = Cast::Form::kCast;
  }
  VisitChildren(expr, Normalise);
}

}  // namespace

void VisitChildren(const Expr& expr, const std::function<void(const Expr&)>& visit) {
  std::visit(Children<const Expr, std::function<void(const Expr&)>>(visit), expr.node);
}

void VisitChildren(Expr& expr, const std::function<void(Expr&)>& visit) {
  std::visit(Children<Expr, std::function<void(Expr&)>>(visit), expr.node);
}

void VisitTree(const Expr& expr, const std::function<bool(const Expr&)>& visit) {
  if (visit(expr)) {
    VisitChildren(expr, [&](const Expr& child) { VisitTree(child, visit); });
  }
}

const Query* SubqueryOf(const Expr& expr) {
  if (const auto* in = expr.As<InSubquery>()) {
    return in->query.get();
  }
  if (const auto* exists = expr.As<Exists>()) {
    return exists->query.get();
  }
  if (const auto* scalar = expr.As<ScalarSubquery>()) {
    return scalar->query.get();
  }
  const auto* table = expr.As<TableArgument>();
  return table == nullptr ? nullptr : table->query.get();
}

bool SameExpression(const Expr& a, const Expr& b) {
  if (a.node.index() != b.node.index()) {
    return false;
  }
  Expr left = a;
  Expr right = b;
  Normalise(left);
  Normalise(right);
  return ToSql(left) == ToSql(right);
}

}  // namespace sluice::sql
