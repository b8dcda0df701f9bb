//! From the table to counters, gauges and histograms.

use std::{borrow::Cow, collections::BTreeSet, ops::Deref, sync::atomic::AtomicI64};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge as Level, histogram::Histogram},
    registry::{Metric as Registered, Registry},
};

use super::table::{Kind, METRICS, Metric, NAMESPACE, Values};

type LabelSet<const N: usize> = [(&'static str, Cow<'static, str>); N];

/// All series of one metric with `N` labels.
pub(super) struct Series<const N: usize, M> {
    metric: &'static Metric,
    family: Family<LabelSet<N>, M>,
}

pub(super) type Count<const N: usize> = Series<N, Counter>;
pub(super) type Gauge<const N: usize> = Series<N, Level<i64, AtomicI64>>;
pub(super) type Spread<const N: usize> = Series<N, Histogram>;

impl<const N: usize, M: Clone> Series<N, M> {
    /// The series with these values, in the order of the table's labels.
    pub(super) fn of<V: Into<Cow<'static, str>>>(&self, values: [V; N]) -> impl Deref<Target = M> + '_ {
        let mut labels = self.metric.labels.iter();
        let set = values.map(|value| {
            let (value, label) = (value.into(), labels.next().expect("as many labels as values"));
            if let Values::OneOf(known) = label.values {
                let name = self.metric.name;
                debug_assert!(known.contains(&&*value), "{name}: {} is never {value}", label.name);
            }
            (label.name, value)
        });
        self.family.get_or_create(&set)
    }
}

impl<const N: usize> Gauge<N> {
    /// Removes the series with these values.
    pub(super) fn forget(&self, values: [String; N]) {
        let mut labels = self.metric.labels.iter();
        let set = values.map(|value| (labels.next().expect("as many labels as values").name, value.into()));
        self.family.remove(&set);
    }
}

impl<M: Clone> Series<0, M> {
    /// The only series of a metric without labels.
    pub(super) fn only(&self) -> impl Deref<Target = M> + '_ {
        self.of::<&'static str>([])
    }
}

/// Enters metrics in a registry, each by its name in the table.
pub(super) struct Book {
    registry: Registry,
    entered: BTreeSet<&'static str>,
}

impl Book {
    pub(super) fn new() -> Self {
        Self { registry: Registry::with_prefix(NAMESPACE), entered: BTreeSet::new() }
    }

    pub(super) fn count<const N: usize>(&mut self, name: &str) -> Count<N> {
        self.enter(name, &[Kind::Counter], |_| Counter::default)
    }

    pub(super) fn gauge<const N: usize>(&mut self, name: &str) -> Gauge<N> {
        self.enter(name, &[Kind::Gauge], |_| Level::default)
    }

    pub(super) fn spread<const N: usize>(&mut self, name: &str) -> Spread<N> {
        self.enter(name, &[Kind::Seconds, Kind::Counts], |kind| match kind {
            Kind::Counts => counts,
            _ => seconds,
        })
    }

    fn enter<const N: usize, M>(
        &mut self,
        name: &str,
        kinds: &[Kind],
        make: fn(Kind) -> fn() -> M,
    ) -> Series<N, M>
    where
        M: Clone + Registered,
        Family<LabelSet<N>, M>: Registered,
    {
        let metric = METRICS.iter().find(|metric| metric.name == name);
        let metric = metric.unwrap_or_else(|| panic!("the table of metrics has no {name}"));
        assert!(kinds.contains(&metric.kind), "{name} is a {:?} in the table", metric.kind);
        assert_eq!(metric.labels.len(), N, "{name} has other labels in the table");
        assert!(self.entered.insert(metric.name), "{name} is entered twice");
        let family = Family::new_with_constructor(make(metric.kind));
        let series = Series { metric, family };
        series.begin();
        let name = name.trim_end_matches("_total");
        if N == 0 {
            // A family would show it with empty braces.
            let only = series.family.get_or_create(&std::array::from_fn(|_| ("", "".into()))).clone();
            self.registry.register(name, metric.meaning, only);
        } else {
            self.registry.register(name, metric.meaning, series.family.clone());
        }
        series
    }

    /// The registry, once every metric of the table is in it.
    pub(super) fn close(self) -> Registry {
        let missing: Vec<_> =
            METRICS.iter().map(|metric| metric.name).filter(|name| !self.entered.contains(name)).collect();
        assert!(missing.is_empty(), "nobody counts {missing:?}");
        self.registry
    }
}

impl<const N: usize, M: Clone> Series<N, M> {
    /// Shows what has not happened yet as 0, or the first failure would not be seen as a rise. Only where the table
    /// knows all series and they are few.
    fn begin(&self) {
        let mut sets: Vec<Vec<&'static str>> = vec![Vec::new()];
        for label in self.metric.labels {
            let Values::OneOf(values) = label.values else { return };
            sets = sets
                .iter()
                .flat_map(|set| values.iter().map(|value| [&set[..], &[*value]].concat()))
                .collect();
            if sets.len() > MOST_AT_ZERO {
                return;
            }
        }
        for set in sets {
            let values: [&'static str; N] = set.try_into().expect("one value for each label");
            drop(self.of(values));
        }
    }
}

/// Series that are shown before anything happened.
const MOST_AT_ZERO: usize = 40;

fn seconds() -> Histogram {
    Histogram::new([0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0])
}

fn counts() -> Histogram {
    Histogram::new([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0])
}
