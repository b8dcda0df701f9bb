// What a diagram shows. It runs in Node and in a browser, so it stands alone.

/** What is drawn, where, and with which words, as text: two diagrams with the same text look the same. */
export function drawing(elementRegistry) {
  const bounds = ({ x, y, width, height }) => [ x, y, width, height ];
  const shown = elementRegistry.filter(element => element.parent && element.type !== 'label');
  const lines = shown.map(({ businessObject, di, waypoints }) => {
    const label = di.get('label')?.get('bounds');
    return JSON.stringify([
      businessObject.id, businessObject.$type, businessObject.name ?? '',
      (businessObject.eventDefinitions ?? []).map(definition => definition.$type),
      businessObject.cancelActivity ?? true, businessObject.default?.id ?? '', businessObject.attachedToRef?.id ?? '',
      waypoints ? waypoints.map(({ x, y }) => [ x, y ]) : bounds(di.get('bounds')),
      label ? bounds(label) : []
    ]);
  });
  return lines.sort().join('\n');
}
