// Queries and relations at the cursor. Same conventions as expression_parser_internal.h.
#pragma once

#include <vector>

#include "sql/ast/ast.h"
#include "sql/parser/token_cursor.h"

namespace sluice::sql {

/// Whether a query starts `ahead` tokens on, behind any number of opening parentheses.
bool AtQuery(const TokenCursor& cursor, size_t ahead = 0);

/// Whether the parentheses at the cursor hold a query: (SELECT ..), ((SELECT ..) UNION ..), but not
/// ((SELECT ..) + 1) or ((SELECT ..) AS a JOIN b).
bool HoldsQuery(const TokenCursor& cursor);

Query ParseQueryAt(TokenCursor& cursor);
/// WITH a AS (..), .. in front of a query or statement, if it is there.
void ParseWith(TokenCursor& cursor, Query* query);
/// '(' query ')'
Query ParseQueryTuple(TokenCursor& cursor);

/// Relations after FROM: comma lists, joins, PIVOT, LATERAL VIEW.
Relation ParseFromList(TokenCursor& cursor);
/// One relation without joins: a table, stream, function, subquery, with its suffixes.
Relation ParseRelationPrimary(TokenCursor& cursor);
/// [NATURAL] [type] JOIN right [ON | USING]; nothing if no join starts here.
std::optional<Join> ParseJoin(TokenCursor& cursor);
/// PIVOT, UNPIVOT, LATERAL VIEW on `input`; false if none starts here.
bool ParseRelationExtension(TokenCursor& cursor, Relation* input);
std::optional<TableSample> ParseTableSample(TokenCursor& cursor);
/// VALUES rows; the cursor stands behind VALUES.
Values ParseValuesRows(TokenCursor& cursor);

/// GROUP BY ..; nothing if it does not start here.
std::optional<GroupBy> ParseGroupBy(TokenCursor& cursor);
/// ORDER BY, SORT BY, CLUSTER BY, DISTRIBUTE BY, LIMIT, OFFSET, in Spark's order.
void ParseQueryOrganization(TokenCursor& cursor, Query* query, std::vector<NamedWindow>* windows);
/// UNION, INTERSECT, EXCEPT, MINUS with ALL, DISTINCT, BY NAME; nothing if none starts here.
std::optional<SetOperation> ParseSetOperator(TokenCursor& cursor);
/// |> steps; the cursor stands at the first |>.
Query ParsePipeSteps(TokenCursor& cursor, Query input, size_t begin);
/// One operand of a set operation: SELECT, VALUES, TABLE, FROM, parentheses.
Query ParseQueryPrimary(TokenCursor& cursor);

/// `LIVE.t` of older Lakeflow projects is `t`, with a warning.
void StripLivePrefix(TokenCursor& cursor, QualifiedName* name);
QualifiedName ExpectTableName(TokenCursor& cursor);

/// '(' key = value, .. ')' of WITH, OPTIONS and TBLPROPERTIES.
std::vector<Property> ParseProperties(TokenCursor& cursor);
std::optional<Watermark> ParseWatermark(TokenCursor& cursor);
/// VERSION AS OF, FOR TIMESTAMP AS OF ..; nothing if it does not start here.
std::optional<TimeTravel> ParseTimeTravel(TokenCursor& cursor);
/// t@v12, t@20240131235959000 (a time in milliseconds).
TimeTravel ParseAtMoment(TokenCursor& cursor);
std::optional<ChangesClause> ParseChanges(TokenCursor& cursor);
std::optional<TableAlias> ParseTableAlias(TokenCursor& cursor);

}  // namespace sluice::sql
