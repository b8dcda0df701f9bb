//! What a query says, before anybody asks whether its objects and fields exist.

use super::lexer::Text;

/// A whole query, or one inside another.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) select: Vec<Item>,
    pub(crate) from: Path,
    pub(crate) alias: Option<String>,
    /// `FROM Contact c, c.Account a`: further names for parents.
    pub(crate) aliases: Vec<(String, Path)>,
    pub(crate) scope: Option<String>,
    pub(crate) filter: Option<Condition>,
    pub(crate) group: Option<Group>,
    pub(crate) having: Option<Condition>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: Option<usize>,
}

/// One thing that is selected.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Value {
        value: Expression,
        alias: Option<String>,
    },
    /// `COUNT()`
    CountAll,
    /// `FIELDS(ALL)` and its kin.
    Fields {
        which: FieldGroup,
        at: usize,
    },
    TypeOf(TypeOf),
    Children(Box<Query>),
}

/// The argument of `FIELDS()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldGroup {
    All,
    Standard,
    Custom,
}

/// `TYPEOF What WHEN Account THEN Phone ELSE Name END`
#[derive(Debug, Clone)]
pub(crate) struct TypeOf {
    pub(crate) relationship: Path,
    pub(crate) cases: Vec<(Path, Vec<Path>)>,
    pub(crate) otherwise: Vec<Path>,
}

/// `Owner.Name`, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub(crate) names: Vec<String>,
    pub(crate) at: usize,
}

impl Path {
    /// The path as written.
    pub(crate) fn text(&self) -> String {
        self.names.join(".")
    }
}

/// A field, or a function of one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Path(Path),
    Call { function: Function, arguments: Vec<Expression>, at: usize },
    Distance { field: Path, latitude: String, longitude: String, unit: String },
}

impl Expression {
    /// Where it stands.
    pub(crate) fn at(&self) -> usize {
        match self {
            Self::Path(path) | Self::Distance { field: path, .. } => path.at,
            Self::Call { at, .. } => *at,
        }
    }

    /// Whether an aggregate function stands in it.
    pub(crate) fn is_aggregate(&self) -> bool {
        match self {
            Self::Call { function, arguments, .. } => {
                function.is_aggregate() || arguments.iter().any(Self::is_aggregate)
            }
            _ => false,
        }
    }
}

/// The functions of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    Grouping,
    ToLabel,
    Format,
    ConvertCurrency,
    ConvertTimezone,
    CalendarMonth,
    CalendarQuarter,
    CalendarYear,
    DayInMonth,
    DayInWeek,
    DayInYear,
    DayOnly,
    FiscalMonth,
    FiscalQuarter,
    FiscalYear,
    HourInDay,
    WeekInMonth,
    WeekInYear,
}

const FUNCTIONS: [(&str, Function); 24] = [
    ("COUNT", Function::Count),
    ("COUNT_DISTINCT", Function::CountDistinct),
    ("SUM", Function::Sum),
    ("AVG", Function::Avg),
    ("MIN", Function::Min),
    ("MAX", Function::Max),
    ("GROUPING", Function::Grouping),
    ("TOLABEL", Function::ToLabel),
    ("FORMAT", Function::Format),
    ("CONVERTCURRENCY", Function::ConvertCurrency),
    ("CONVERTTIMEZONE", Function::ConvertTimezone),
    ("CALENDAR_MONTH", Function::CalendarMonth),
    ("CALENDAR_QUARTER", Function::CalendarQuarter),
    ("CALENDAR_YEAR", Function::CalendarYear),
    ("DAY_IN_MONTH", Function::DayInMonth),
    ("DAY_IN_WEEK", Function::DayInWeek),
    ("DAY_IN_YEAR", Function::DayInYear),
    ("DAY_ONLY", Function::DayOnly),
    ("FISCAL_MONTH", Function::FiscalMonth),
    ("FISCAL_QUARTER", Function::FiscalQuarter),
    ("FISCAL_YEAR", Function::FiscalYear),
    ("HOUR_IN_DAY", Function::HourInDay),
    ("WEEK_IN_MONTH", Function::WeekInMonth),
    ("WEEK_IN_YEAR", Function::WeekInYear),
];

impl Function {
    /// A function by name; case is ignored.
    pub(crate) fn named(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, function)| *function)
    }

    /// Whether it makes one value of many records.
    pub(crate) fn is_aggregate(self) -> bool {
        matches!(
            self,
            Self::Count
                | Self::CountDistinct
                | Self::Sum
                | Self::Avg
                | Self::Min
                | Self::Max
                | Self::Grouping
        )
    }
}

/// `GROUP BY`
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) kind: GroupKind,
    pub(crate) by: Vec<Expression>,
}

/// Which subtotals a grouping gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupKind {
    Plain,
    Rollup,
    Cube,
}

/// One key of `ORDER BY`.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) by: Expression,
    pub(crate) descending: bool,
    pub(crate) nulls_last: bool,
}

/// What a record must fulfil.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        left: Expression,
        operator: Operator,
        right: Literal,
    },
    In {
        left: Expression,
        negated: bool,
        list: Vec<Literal>,
    },
    InQuery {
        left: Expression,
        negated: bool,
        query: Box<Query>,
        at: usize,
    },
    /// `INCLUDES` and `EXCLUDES`
    Includes {
        left: Expression,
        negated: bool,
        list: Vec<Literal>,
    },
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

/// A value in the text, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Literal {
    pub(crate) value: LiteralValue,
    pub(crate) at: usize,
}

/// What a value in the text may be.
#[derive(Debug, Clone)]
pub(crate) enum LiteralValue {
    Null,
    Boolean(bool),
    Number(String),
    Text(Text),
    Date(String),
    DateTime(String),
    /// `TODAY`, `LAST_N_DAYS:7`
    Relative {
        name: String,
        count: Option<i64>,
    },
}
