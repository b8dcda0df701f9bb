//! `for`, `some` and `every`. All lists are evaluated before the first round; none sees another's variable.

use super::{Eval, Evaluator, Failure};
use crate::ast::{ForNode, NodeId, Text};
use crate::env::Env;
use crate::error::EvalError;
use crate::number::{Number, RoundingMode};
use crate::value::{List, Value};

/// The lists of an iteration, and which item of each is next.
struct Rounds<'a> {
    lists: Vec<(&'a str, List<'a>)>,
    next: Vec<usize>,
    left: usize,
}

impl<'a> Rounds<'a> {
    /// The variables of the next round; the last list turns fastest.
    fn next(&mut self, env: &Env<'a>) -> Option<Env<'a>> {
        self.left = self.left.checked_sub(1)?;
        let mut inner = env.clone();
        // The first iterator wins a name that stands twice, so it is bound last.
        for ((name, list), index) in self.lists.iter().zip(&self.next).rev() {
            inner = inner.with(name, list.get(*index)?);
        }
        for (index, (_, list)) in self.next.iter_mut().zip(&self.lists).rev() {
            *index += 1;
            if *index < list.len() {
                break;
            }
            *index = 0;
        }
        Some(inner)
    }
}

impl<'a> Evaluator<'_, 'a> {
    fn rounds(&self, iterators: &'a [(Text, NodeId)], env: &Env<'a>) -> Result<Rounds<'a>, Failure> {
        let mut lists = Vec::with_capacity(iterators.len());
        let mut failure = None;
        for (name, list) in iterators {
            match self.eval(*list, env) {
                Ok(Value::List(list)) => lists.push((&**name, list)),
                Ok(other) => failure = failure.or(self.wrong_type::<()>("list", &other).err()),
                Err(Failure::Abort(error)) => return Err(error.into()),
                Err(other) => failure = failure.or(Some(other)),
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        let count = lists.iter().try_fold(1_usize, |count, (_, list)| count.checked_mul(list.len()));
        let left = count.unwrap_or(usize::MAX);
        self.budget.check_items(left)?;
        Ok(Rounds { next: vec![0; lists.len()], lists, left })
    }

    pub(super) fn for_each(&self, node: &'a ForNode, env: &Env<'a>) -> Eval<'a> {
        let mut rounds = self.rounds(&node.iterators, env)?;
        let mut results = Vec::with_capacity(rounds.left.min(1_024));
        while let Some(mut inner) = rounds.next(env) {
            if node.uses_partial {
                self.budget.items(results.len())?;
                inner = inner.with("partial", Value::List(List::new(results.clone())?));
            }
            results.push(self.eval(node.body, &inner)?);
        }
        Ok(Value::List(List::new(results)?))
    }

    pub(super) fn some(&self, iterators: &'a [(Text, NodeId)], condition: NodeId, env: &Env<'a>) -> Eval<'a> {
        self.quantified(iterators, condition, env, true)
    }

    pub(super) fn every(
        &self,
        iterators: &'a [(Text, NodeId)],
        condition: NodeId,
        env: &Env<'a>,
    ) -> Eval<'a> {
        self.quantified(iterators, condition, env, false)
    }

    /// `decisive` is the answer that ends the search: true for `some`, false for `every`.
    fn quantified(
        &self,
        iterators: &'a [(Text, NodeId)],
        condition: NodeId,
        env: &Env<'a>,
        decisive: bool,
    ) -> Eval<'a> {
        let mut rounds = self.rounds(iterators, env)?;
        let mut state = Some(!decisive);
        while let Some(inner) = rounds.next(env) {
            match self.boolean(self.eval(condition, &inner))? {
                Some(answer) if answer == decisive => return Ok(Value::Boolean(decisive)),
                Some(_) => {}
                None => state = None,
            }
        }
        Ok(super::three_valued(state))
    }

    /// `1..n`, upwards or downwards.
    pub(super) fn sequence(&self, start: NodeId, end: NodeId, env: &Env<'a>) -> Eval<'a> {
        let (start, end) = (self.eval(start, env), self.eval(end, env));
        let start = match start? {
            Value::Number(number) => number,
            other => return self.wrong_type("number", &other),
        };
        let end = match end? {
            Value::Number(number) => number,
            other => return self.wrong_type("number", &other),
        };
        let descending = start >= end;
        let length = self.sequence_length(&start, &end)?;
        Ok(Value::List(List::sequence(start, descending, length)))
    }

    fn sequence_length(&self, start: &Number, end: &Number) -> Result<usize, EvalError> {
        let steps = end.subtract(start).ok().map(|distance| distance.abs());
        let steps = steps.filter(|steps| *steps <= Number::from(i64::MAX / 2));
        let whole = steps.and_then(|steps| steps.with_scale(0, RoundingMode::Down).ok());
        let length =
            whole.and_then(|whole| usize::try_from(whole.to_i64()?).ok()).unwrap_or(usize::MAX - 1) + 1;
        self.budget.check_items(length)?;
        Ok(length)
    }
}
