//! The parsed expression: nodes in one vector that refer to each other by index. Nothing recursive to drop, nothing
//! that points outside, `Send` and `Sync`.

use crate::number::Number;
use crate::temporal::Temporal;

/// Index of a node in [`Ast::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

/// A name or text of the expression.
pub(crate) type Text = Box<str>;
/// Several nodes.
pub(crate) type Nodes = Box<[NodeId]>;
/// `x in list` of a `for`, `some` or `every`.
pub(crate) type Iterators = Box<[(Text, NodeId)]>;

#[derive(Debug, Default)]
pub(crate) struct Ast {
    nodes: Vec<Node>,
}

impl Ast {
    pub(crate) fn push(&mut self, node: Node) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        id
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

#[derive(Debug)]
pub(crate) enum Node {
    Null,
    Boolean(bool),
    Number(Number),
    String(Text),
    Temporal(Temporal),
    /// `?`, the value under test.
    Input,
    List(Nodes),
    Context(Box<[(Text, NodeId)]>),
    /// A range as an argument.
    Range(RangeNode),
    /// `[1..5]` as a test of the input value.
    InRange(RangeNode),
    /// `> 3` as a test of the input value.
    InputCompare(Comparison, NodeId),
    /// `true` as the last test.
    InputEquals(NodeId),
    /// Any expression as a test of the input value.
    UnaryTest(NodeId),
    /// `in (test, test)`.
    AtLeastOne(Nodes),
    /// A chain of one level: `a + b - c`, `a * b / c`, `a ** b ** c`.
    Arithmetic(NodeId, Box<[(Operator, NodeId)]>),
    Negate(NodeId),
    Compare(Comparison, NodeId, NodeId),
    NotEqual(NodeId, NodeId),
    And(Nodes),
    Or(Nodes),
    If(NodeId, NodeId, NodeId),
    In(NodeId, NodeId),
    InstanceOf(NodeId, Text),
    /// `a.b.c` from a variable.
    Ref(Box<[Text]>),
    /// `.name` and `[filter]` behind a value.
    Access(NodeId, Box<[Step]>),
    For(Box<ForNode>),
    Some(Iterators, NodeId),
    Every(Iterators, NodeId),
    /// `1..n` of a `for`.
    Sequence(NodeId, NodeId),
    Call(Text, Arguments),
    /// `a.b.f(x)`: the function `f` of the context `a.b`.
    MethodCall(NodeId, Text, Arguments),
    Function(Box<[Text]>, NodeId),
}

#[derive(Debug)]
pub(crate) struct ForNode {
    pub(crate) iterators: Iterators,
    pub(crate) body: NodeId,
    /// Whether the body mentions `partial`; else the list of partial results is not kept.
    pub(crate) uses_partial: bool,
}

#[derive(Debug)]
pub(crate) enum Step {
    Path(Text),
    Filter(NodeId),
}

#[derive(Debug)]
pub(crate) enum Arguments {
    Positional(Nodes),
    Named(Box<[(Text, NodeId)]>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct RangeNode {
    pub(crate) start: NodeId,
    pub(crate) start_closed: bool,
    pub(crate) end: NodeId,
    pub(crate) end_closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
